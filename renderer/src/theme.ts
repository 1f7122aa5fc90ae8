import { CloseButton, createTheme, type CloseButtonProps, type MantineColorsTuple } from '@mantine/core';

const brand: MantineColorsTuple = [
  '#e9f5f5',
  '#d5e8e8',
  '#a8d1d1',
  '#77b9b9',
  '#4fa4a5',
  '#359798',
  '#249091',
  '#127d7e',
  '#007070',
  '#006161',
];

/** The system's own letters: no font is loaded. */
const FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', sans-serif";

export const theme = createTheme({
  primaryColor: 'brand',
  // Texts on and in the colour keep a contrast of 4.5 : 1 in both schemes.
  primaryShade: { light: 8, dark: 7 },
  autoContrast: true,
  colors: { brand },
  fontFamily: FONT,
  headings: { fontFamily: FONT, fontWeight: '600' },
  defaultRadius: 'md',
  cursorType: 'pointer',
  respectReducedMotion: true,
  components: {
    // Of windows and messages: a cross alone says nothing to a screen reader.
    CloseButton: CloseButton.extend({
      defaultProps: { 'aria-label': 'Close' } as Partial<CloseButtonProps>,
    }),
  },
});

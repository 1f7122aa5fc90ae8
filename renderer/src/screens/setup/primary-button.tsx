import { Button, type ButtonProps } from '@mantine/core';
import { useEffect, useRef, type ReactNode } from 'react';

/**
 * The way on. It has the focus as soon as it can be pressed, so that Enter goes through the whole setup.
 * Another field that a person is in is not taken from them.
 */
export function PrimaryButton({
  children,
  onClick,
  isSubmit = false,
  isFocused = true,
  ...props
}: ButtonProps & {
  children: ReactNode;
  onClick?: () => void;
  isSubmit?: boolean;
  /** False where a field comes first. */
  isFocused?: boolean;
}): ReactNode {
  const button = useRef<HTMLButtonElement>(null);
  const isReady = isFocused && props.disabled !== true && props.loading !== true;
  useEffect(() => {
    if (!isReady || isWriting()) return;
    button.current?.focus();
  }, [isReady]);
  return (
    <Button ref={button} type={isSubmit ? 'submit' : 'button'} onClick={onClick} {...props}>
      {children}
    </Button>
  );
}

function isWriting(): boolean {
  const { activeElement } = document;
  return activeElement?.matches('input, textarea, select') === true;
}

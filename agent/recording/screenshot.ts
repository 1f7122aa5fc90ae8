import type { PageProbe } from './page-probe.ts';
import type { ScreenshotRequest } from './types.ts';

/** Higher pages are cut: pictures of more pixels fail in browsers, and nobody reads them. */
const MAX_HEIGHT_PX = 12_000;
/** Elements up to this area are sharper and not larger as PNG; above it JPEG is smaller. */
const MAX_PNG_AREA_PX = 40_000;
const TIMEOUT_MS = 30_000;

export interface TakenPicture {
  data: Buffer;
  contentType: 'image/jpeg' | 'image/png';
  masked: number;
}

/** An explicit screenshot: an element, the whole page, or what is in view. */
export async function takeScreenshot(
  probe: PageProbe,
  request: ScreenshotRequest,
  quality: number,
): Promise<TakenPicture> {
  const { locator, fullPage = true, timeoutMs = TIMEOUT_MS } = request;
  const masked = await probe.maskedCount();
  if (!locator) {
    const data = fullPage ? await probe.fullPage(quality, MAX_HEIGHT_PX) : await probe.viewport(quality);
    return { data, contentType: 'image/jpeg', masked };
  }
  const box = await locator.boundingBox({ timeout: timeoutMs });
  const isSmall = box !== null && box.width * box.height <= MAX_PNG_AREA_PX;
  const data = await locator.screenshot({
    timeout: timeoutMs,
    scale: 'css',
    ...(isSmall ? { type: 'png' } : { type: 'jpeg', quality }),
  });
  return { data, contentType: isSmall ? 'image/png' : 'image/jpeg', masked };
}

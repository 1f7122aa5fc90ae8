/** Below this a run or two at TRACE (about 60 MB each) and what the browser caches may fill the disk. */
export const LOW_DISK_BYTES = 1_000_000_000;

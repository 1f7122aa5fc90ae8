import type { CaptureSource, CaptureTools } from '../capture-source.ts';
import { ExtractedData } from './extracted-data.ts';
import { FailureEvidence } from './failure-evidence.ts';
import { FinalPage } from './final-page.ts';
import { Flight } from './flight.ts';
import { NetworkLog } from './network-log.ts';
import { StepEvidence } from './step-evidence.ts';
import { TraceCapture } from '../trace-capture.ts';
import { Trace } from './trace.ts';
import { WholeVideo } from './whole-video.ts';

/**
 * Every source, in the order in which the recorder calls them at each moment: when a run fails, the page
 * comes before the video, because the page may change while the video is encoded.
 */
export function createSources(tools: CaptureTools): CaptureSource[] {
  const trace = new TraceCapture(tools);
  return [
    new Trace(tools, trace),
    new NetworkLog(tools, trace),
    new StepEvidence(tools),
    new FailureEvidence(tools),
    new FinalPage(tools),
    new ExtractedData(tools),
    new Flight(tools),
    new WholeVideo(tools),
  ];
}

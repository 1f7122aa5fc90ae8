/** Signing in to a profile, and looking whether it is signed in. */
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import {
  lookWhetherSignedIn,
  refuseBadCheck,
  refuseNoWebAddress,
  type SignInCheck,
} from '../../browser/sign-in-check.ts';
import type { ApiPorts } from '../ports.ts';
import { answers, ApiError } from '../problem.ts';
import {
  checkedSchema,
  checkSchema,
  params,
  savedCheck,
  shownOutcome,
  shownSignIn,
  signInSchema,
} from '../profile-shapes.ts';

const tags = ['profiles'];

export function profileDeskRoutes(ports: ApiPorts): FastifyPluginAsyncZod {
  const { profiles, desk, clock } = ports;
  return async (app) => {
    app.post(
      '/profiles/:name/sign-in',
      {
        config: { scope: 'operate' },
        schema: {
          operationId: 'startSignIn',
          summary: 'Open a window of the real browser on a profile, for a person to sign in',
          description:
            'Answers when the window is there, or when the profile is in use and has to be waited for (`waiting`). One that is under way is answered as it is. Closing the window by hand is as good as `done`.',
          tags,
          params,
          body: z.strictObject({
            url: z.string().min(1).max(2_000).optional().describe('Opened first.'),
          }),
          response: answers({ 202: signInSchema }, 404, 413, 415, 503),
        },
      },
      async ({ params, body }, reply) => {
        const profile = profiles.get(params.name);
        if (body.url !== undefined) refuseNoWebAddress(body.url);
        return reply.code(202).send(shownSignIn(await desk.openSignIn(profile, body.url ?? null)));
      },
    );

    app.get(
      '/profiles/:name/sign-in',
      {
        config: { scope: 'read' },
        schema: {
          operationId: 'getSignIn',
          summary: 'The newest sign-in of a profile since the agent began',
          tags,
          params,
          response: answers({ 200: signInSchema }, 404),
        },
      },
      async ({ params }) => {
        const signIn = desk.signIn(profiles.get(params.name));
        if (!signIn) {
          throw new ApiError(404, 'BrowserAgent.NotFound', 'Nobody has signed in since the agent began.');
        }
        return shownSignIn(signIn);
      },
    );

    app.post(
      '/profiles/:name/sign-in/done',
      {
        config: { scope: 'operate' },
        schema: {
          operationId: 'finishSignIn',
          summary: 'The person has signed in: close the window, and note the time',
          tags,
          params,
          response: answers({ 200: signInSchema }, 404, 409, 413, 415),
        },
      },
      async ({ params }) => {
        const signIn = await desk.finishSignIn(profiles.get(params.name));
        if (!signIn) throw new ApiError(409, 'BrowserAgent.Conflict', 'No window is open for a sign-in.');
        return shownSignIn(signIn);
      },
    );

    app.delete(
      '/profiles/:name/sign-in',
      {
        config: { scope: 'operate' },
        schema: {
          operationId: 'cancelSignIn',
          summary: 'Take a sign-in back: close the window, or wait no longer',
          tags,
          params,
          response: answers({ 200: signInSchema }, 404, 409, 413, 415),
        },
      },
      async ({ params }) => {
        const signIn = await desk.cancelSignIn(profiles.get(params.name));
        if (!signIn) throw new ApiError(409, 'BrowserAgent.Conflict', 'No sign-in is under way.');
        return shownSignIn(signIn);
      },
    );

    app.post(
      '/profiles/:name/check',
      {
        config: { scope: 'operate' },
        schema: {
          operationId: 'checkProfile',
          summary: 'Look whether a profile is signed in',
          description:
            'Opens the page in a browser that nobody sees, and looks for the selector or text. What to look for is kept with the profile: an empty body looks again.',
          tags,
          params,
          body: checkSchema.partial(),
          response: answers({ 200: checkedSchema }, 404, 409, 413, 415),
        },
      },
      async ({ params, body }) => {
        const profile = profiles.get(params.name);
        const check = body.url === undefined ? savedCheck(profile) : { ...body, url: body.url };
        if (!check || (body.url === undefined && (body.selector ?? body.text) !== undefined)) {
          throw new ApiError(
            400,
            'BrowserAgent.InvalidInput',
            'Say which page to open ("url") and what to look for there ("selector" or "text"): no check is kept yet.',
          );
        }
        refuseBadCheck(check as SignInCheck);
        const outcome = await desk.inBackground(profile.profileId, (session) =>
          lookWhetherSignedIn(session, check as SignInCheck, () => clock.now()),
        );
        profiles.setCheck(profile.profileId, JSON.stringify(check), JSON.stringify(outcome));
        return shownOutcome(outcome);
      },
    );
  };
}

import type { FastifyServerOptions } from 'fastify';
import { validatorCompiler } from 'fastify-type-provider-zod';

/**
 * How Fastify checks requests and writes answers. Both are named, so that Fastify does not load its own
 * compilers, which take 10 MB.
 */
export const schemaController: NonNullable<FastifyServerOptions['schemaController']> = {
  compilersFactory: {
    buildValidator: () => validatorCompiler as never,
    // The type checker holds handlers to their schemas, and the contract tests hold answers to the document.
    // Checking each answer again would cost as much as making it.
    buildSerializer: () => () => JSON.stringify as never,
  },
};

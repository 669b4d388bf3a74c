import { isRwSplitError } from '@rwsplit/knex';
import type { ErrorRequestHandler } from 'express';
import { NotFoundError, ValidationError } from 'objection';
import { SoldOut } from './orders.ts';

/** What has begun to be sent cannot become an error any more: Express breaks it off. */
export const onError: ErrorRequestHandler = (error, _request, response, next) => {
  if (response.headersSent) {
    next(error);
    return;
  }
  const status = statusOf(error);
  if (status === 503) {
    response.set('retry-after', '1');
  }
  if (status === 500) {
    console.error(error);
  }
  // Errors of the server quote values: they are for the log.
  response.status(status).json({ error: status < 500 ? error.message : 'Sorry' });
};

function statusOf(error: unknown): number {
  if (error instanceof NotFoundError) return 404;
  if (error instanceof ValidationError) return 400;
  if (error instanceof SoldOut) return 409;
  // No server for it at the moment: the same request may do in a second, and cannot do harm.
  if (isRwSplitError(error) && error.isRetryable) return 503;
  // Express's own, such as a body that is no JSON.
  const status = error instanceof Error && 'status' in error ? Number(error.status) : 500;
  return status >= 400 && status < 500 ? status : 500;
}

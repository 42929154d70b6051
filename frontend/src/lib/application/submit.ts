import { ApiError } from '$lib/api/request';
import type { Refusal } from '$lib/session/session.svelte';

/** The answer of a mutation as what a form shows: empty when it was done. */
export async function refusals(answer: Promise<{ userErrors: Refusal[] }>): Promise<Refusal[]> {
  try {
    return (await answer).userErrors;
  } catch (error) {
    if (error instanceof ApiError) return [{ field: null, message: error.message }];
    throw error;
  }
}

/** The refusal of one field, in words of its own. */
export const refusalOf = (all: readonly Refusal[], field: string): string | undefined =>
  all.find((refusal) => refusal.field === field)?.message;

/** What no field of the form shows. */
export const otherRefusals = (all: readonly Refusal[], fields: readonly string[]): string =>
  all
    .filter(({ field }) => field === null || !fields.includes(field))
    .map(({ message }) => message)
    .join(' ');

import { ApiError, type UserError } from '$lib/api/request';
import { sentence } from '$lib/ui/format';

interface Outcome {
  userErrors: readonly UserError[];
}

/** The state of a form: whether a request is running, and what the server
 * rejected. */
export class Submission {
  errors = $state.raw<readonly UserError[]>([]);
  busy = $state(false);

  readonly #fields: (field: string) => boolean;

  /** `fields` are the input fields of the mutation that have a place for an error
   * in the form. */
  constructor(fields: readonly string[] | RegExp = []) {
    this.#fields = (field) => (fields instanceof RegExp ? fields.test(field) : fields.includes(field));
  }

  /** Waits for a mutation. Returns null if it was rejected or failed; `errors` then
   * says why. */
  async send<T extends Outcome>(mutation: Promise<{ outcome: T }>): Promise<T | null> {
    this.busy = true;
    try {
      const { outcome } = await mutation;
      this.errors = outcome.userErrors;
      return outcome.userErrors.length === 0 ? outcome : null;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.errors = [{ field: null, message: error.message }];
      return null;
    } finally {
      this.busy = false;
    }
  }

  /** Rejects the form before anything is sent. */
  reject(field: string, message: string) {
    this.errors = [{ field, message }];
  }

  /** The message to show at a field. */
  at(field: string): string | undefined {
    return errorAt(this.errors, field);
  }

  /** The messages that belong to no field of the form; "" for none. */
  get rest(): string {
    return this.errors
      .filter(({ field }) => field === null || !this.#fields(field))
      .map(({ message }) => sentence(message))
      .join(' ');
  }
}

/** The message to show at a field of the input, such as "files[0].size". */
export function errorAt(errors: readonly UserError[], field: string): string | undefined {
  const found = errors.find((error) => error.field === field);
  return found && sentence(found.message);
}

/** For mutations that a dialog only confirms: null if the server accepted it, else
 * its messages. Throws ApiError. */
export async function rejection(
  mutation: Promise<{ outcome: { userErrors: readonly { message: string }[] } }>,
): Promise<string | null> {
  const { userErrors } = (await mutation).outcome;
  return userErrors.length === 0 ? null : userErrors.map(({ message }) => sentence(message)).join(' ');
}

/** Moves the focus to the first field with an error. */
export const focusFirstError = (form: HTMLElement) =>
  form.querySelector<HTMLElement>('[aria-invalid]')?.focus();

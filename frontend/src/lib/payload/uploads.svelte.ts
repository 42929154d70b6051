import { SvelteMap } from 'svelte/reactivity';
import { graphql } from '$lib/api/graphql';
import { session } from '$lib/api/session.svelte';
import type { Remembered } from './remembered';
import { send } from './transport';
import { UploadError, type UploadTarget } from './tus';
import { Upload, type UploadWorld } from './upload.svelte';

const document = graphql(`
  query IsStored($id: ID!) {
    package(id: $id) {
      stored {
        name
        size
        storedAt
      }
    }
  }
`);

/** The uploads of this tab, which go on while the user visits other pages. */
class Uploads {
  readonly #all = new SvelteMap<string, Upload>();

  /** Begins to upload a file, or continues an upload that was begun before a reload. */
  start(target: UploadTarget, file: File, begun?: Remembered): Upload {
    const key = keyOf(target.packageId, target.name);
    this.#all.get(key)?.pause();
    const since = begun?.at ?? Date.now();
    const world: UploadWorld = {
      send,
      now: () => Date.now(),
      isStored: async ({ packageId, name }, size) => {
        const data = await session.ask(document, { id: packageId }).catch(() => {
          throw new UploadError('the connection to the server is lost', 'lost', 0);
        });
        // The clocks of server and browser may differ by a minute.
        return !!data.package?.stored.some(
          (one) => one.name === name && one.size === size && Date.parse(one.storedAt) > since - 60_000,
        );
      },
    };
    const upload = new Upload(world, target, file, begun);
    this.#all.set(key, upload);
    void upload.run();
    return upload;
  }

  get(packageId: string, name: string): Upload | undefined {
    return this.#all.get(keyOf(packageId, name));
  }

  /** The uploads to a package. */
  of(packageId: string): Upload[] {
    return [...this.#all.values()].filter(({ target }) => target.packageId === packageId);
  }

  /** Removes an upload from the list. */
  dismiss(upload: Upload) {
    this.#all.delete(keyOf(upload.target.packageId, upload.target.name));
  }

  /** Whether closing the tab interrupts an upload. */
  get active(): boolean {
    return [...this.#all.values()].some((upload) => upload.active);
  }

  /** Continues at once what waits for the connection. */
  wake() {
    for (const upload of this.#all.values()) if (upload.state === 'waiting') void upload.run();
  }
}

const keyOf = (packageId: string, name: string) => `${packageId}:${name}`;

export const uploads = new Uploads();

window.addEventListener('online', () => uploads.wake());
window.addEventListener('beforeunload', (event) => {
  if (uploads.active) event.preventDefault();
});

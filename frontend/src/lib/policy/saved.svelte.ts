/** What a saved policy does to the rollout, as it was shown with the form. */
interface Saved {
  groupId: string;
  end: string | null;
  was: string | null;
}

/** The policy that was saved last, until its group's page is left. */
class SavedPolicy {
  last = $state.raw<Saved | null>(null);
}

export const savedPolicy = new SavedPolicy();

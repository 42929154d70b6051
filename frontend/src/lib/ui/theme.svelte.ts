/** The chosen theme; `system` follows the operating system. */
export type ThemeChoice = 'system' | 'light' | 'dark';

const key = 'coreroller.theme';

class Theme {
  #choice = $state<ThemeChoice>(stored());

  get choice(): ThemeChoice {
    return this.#choice;
  }

  set choice(choice: ThemeChoice) {
    this.#choice = choice;
    localStorage.setItem(key, choice);
    this.apply();
  }

  /** Sets the attribute that app.css reads. */
  apply() {
    if (this.#choice === 'system') delete document.documentElement.dataset['theme'];
    else document.documentElement.dataset['theme'] = this.#choice;
  }
}

function stored(): ThemeChoice {
  const text = localStorage.getItem(key);
  return text === 'light' || text === 'dark' ? text : 'system';
}

export const theme = new Theme();

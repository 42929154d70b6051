/** Which theme the reader chose; `system` follows the operating system. */
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

  /** Writes the choice where app.css reads it. */
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

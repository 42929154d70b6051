import { cleanup, fireEvent, render, screen } from '@testing-library/svelte';
import { afterEach, expect, test } from 'vitest';
import { tick } from 'svelte';
import Moment from './moment.svelte';
import ZoneClock from './zone-clock.svelte';
import { zone } from './zone.svelte';

const before = zone.choice;
afterEach(() => {
  cleanup();
  zone.choice = before;
  zone.group = null;
});

const choice = (name: string) => screen.getByRole('radio', { name }) as HTMLInputElement;

test('the switch names the zone and changes the times on the page at once', async () => {
  zone.group = 'Asia/Kolkata';
  render(ZoneClock);
  const { container } = render(Moment, { at: '2020-01-01T20:00:00Z' });
  await fireEvent.click(choice('UTC'));
  expect(screen.getByText(/^\d{1,2} \w{3} \d{4}, \d\d:\d\d · UTC$/)).toBeTruthy();
  expect(container.textContent).toBe('1 Jan, 20:00');
  await fireEvent.click(choice('Group'));
  expect(screen.getByText(/ · Asia\/Kolkata$/)).toBeTruthy();
  expect(container.textContent).toBe('2 Jan, 01:30');
  expect(container.querySelector('time')?.title).toContain('GMT+5:30');
});

test('without a group the choice is disabled and says why', async () => {
  zone.group = 'Asia/Kolkata';
  zone.choice = 'group';
  render(ZoneClock);
  expect(choice('Group').disabled).toBe(false);
  expect(screen.queryByText(/Other pages use yours/)).toBeNull();
  zone.group = null;
  await tick();
  expect([choice('Group').checked, choice('Group').disabled]).toEqual([true, true]);
  expect(screen.getByText(/Other pages use yours/)).toBeTruthy();
  expect(screen.getByText(new RegExp(`· ${zone.name}$`))).toBeTruthy();
});

import { machineListView, type Show } from '$lib/machine/filter';
import { groupPath, type GroupView, type MachineList } from '$lib/paths';
import { asAction, type GroupAction } from './actions';
import { failureFilter, failureKey, type FailureFilter } from './failures';

/** The query parameters of a group page, and the addresses it links to. */
export class GroupAddress {
  /** Filters of the machines. */
  readonly list: MachineList;
  /** Settings of charts and cards, which every link of the page keeps. */
  readonly charts: Pick<GroupView, 'range' | 'chart' | 'pace' | 'by'>;
  /** Failed attempts to list instead of machines. */
  readonly failure: FailureFilter | null;
  /** The action whose dialog is open. */
  readonly action: GroupAction | null;

  constructor(
    private readonly application: string,
    private readonly group: string,
    private readonly given: URLSearchParams,
  ) {
    this.list = machineListView(given);
    this.charts = {
      range: given.get('range'),
      chart: given.get('chart'),
      pace: given.get('pace'),
      by: given.get('by'),
    };
    this.failure = failureFilter(given.get('failure'));
    this.action = asAction(given.get('do'));
  }

  /** The page with another chart setting. */
  readonly chart = (set: GroupView = {}) =>
    groupPath(this.application, this.group, {
      ...this.list,
      ...this.charts,
      failure: this.given.get('failure'),
      ...set,
    });

  /** The page with another list of machines. */
  readonly machines = (list: MachineList) =>
    groupPath(this.application, this.group, { ...this.charts, ...list }, 'machines');

  readonly show = (show: Show) => this.machines({ show });
  readonly search = (search: string) => this.machines({ search });

  /** The page with a list of failed attempts. */
  readonly failures = (filter: FailureFilter) => this.machines({ failure: failureKey(filter) });
}

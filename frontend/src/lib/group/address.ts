import { machineListView, type Show } from '$lib/machine/filter';
import { groupPath, type GroupView, type MachineList } from '$lib/paths';
import { asAction, type GroupAction } from './actions';
import { failureFilter, failureKey, type FailureFilter } from './failures';

/** What the address of a group's page asks for, and the addresses it links to. */
export class GroupAddress {
  /** Which machines are listed. */
  readonly list: MachineList;
  /** How the charts and cards are set, which every link of the page keeps. */
  readonly charts: Pick<GroupView, 'range' | 'chart' | 'pace' | 'by'>;
  /** Which failed attempts are listed instead of machines. */
  readonly failure: FailureFilter | null;
  /** Whose dialog is to be opened. */
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

  /** The page as it is, a chart set otherwise. */
  readonly chart = (set: GroupView = {}) =>
    groupPath(this.application, this.group, {
      ...this.list,
      ...this.charts,
      failure: this.given.get('failure'),
      ...set,
    });

  /** A list of machines. */
  readonly machines = (list: MachineList) =>
    groupPath(this.application, this.group, { ...this.charts, ...list }, 'machines');

  readonly show = (show: Show) => this.machines({ show });
  readonly search = (search: string) => this.machines({ search });

  /** A list of failed attempts. */
  readonly failures = (filter: FailureFilter) => this.machines({ failure: failureKey(filter) });
}

import { randomUUID } from 'node:crypto';

/** The ids and addresses of a group under test. */
export interface Rollout {
  applicationId: string;
  packageId: string;
  channelId: string;
  groupId: string;
  /** Path of the group's page. */
  path: string;
  name: string;
  track: string;
}

/** The GraphQL API, with the initial administrator of a server. */
export class Api {
  constructor(
    private readonly url: string,
    private readonly password = 'admin',
  ) {}

  async ask<Data>(query: string, variables: Record<string, unknown> = {}): Promise<Data> {
    const response = await fetch(`${this.url}/graphql`, {
      method: 'POST',
      headers: {
        'Content-Type': 'application/json',
        Authorization: `Basic ${Buffer.from(`admin:${this.password}`).toString('base64')}`,
      },
      body: JSON.stringify({ query, variables }),
    });
    const { data, errors } = (await response.json()) as { data?: Data; errors?: { message: string }[] };
    if (!data || errors) throw new Error(`${response.status}: ${JSON.stringify(errors)}\n${query}`);
    return data;
  }

  /** Runs a mutation with one input and returns the id of its object. Throws on user
   * errors. */
  private async make(verb: string, input: Record<string, unknown>): Promise<string> {
    const object = verb.replace(/^(create)/, '').toLowerCase();
    const type = `${verb[0]?.toUpperCase()}${verb.slice(1)}Input`;
    const { made } = await this.ask<{ made: { object: { id: string } | null; userErrors: unknown[] } }>(
      `mutation ($input: ${type}!) { made: ${verb}(input: $input) { object: ${object} { id } userErrors { field message } } }`,
      { input },
    );
    if (!made.object) throw new Error(`${verb}: ${JSON.stringify(made.userErrors)}`);
    return made.object.id;
  }

  /** Creates an application with a channel at 2.0.0 and a group that follows it. */
  async rollout(policy: Record<string, unknown> = {}): Promise<Rollout> {
    const unique = randomUUID().slice(0, 8);
    const track = `track-${unique}`;
    const name = `Production ${unique}`;
    const applicationId = await this.make('createApplication', { name: `Edge agent ${unique}` });
    const packageId = await this.addPackage(applicationId, '2.0.0');
    const channelId = await this.make('createChannel', {
      applicationId,
      name: 'stable',
      color: '#14b9d6',
      packageId,
    });
    const groupId = await this.addGroup({ applicationId, channelId, name, track }, policy);
    const path = `/apps/${applicationId}/groups/${groupId}`;
    return { applicationId, packageId, channelId, groupId, path, name, track };
  }

  /** Adds a package and returns its id. */
  addPackage(applicationId: string, version: string): Promise<string> {
    return this.make('createPackage', {
      applicationId,
      type: 'OTHER',
      version,
      url: 'https://example.com/agent/',
      filename: `agent-${version}.tar.gz`,
      size: 4096,
      sha1: 'qZk+NkcGgWq6PiVxeFDCbJzQ2J0=',
      sha256: 'a'.repeat(64),
    });
  }

  /** Adds a group, with a policy that updates a few machines at a time, and returns its id. */
  addGroup(
    group: Pick<Rollout, 'applicationId' | 'channelId' | 'name' | 'track'>,
    policy: Record<string, unknown>,
  ): Promise<string> {
    return this.make('createGroup', {
      ...group,
      policy: {
        safeMode: false,
        maxUpdatesPerPeriod: 1000,
        periodInterval: 'PT1H',
        maxConcurrentUpdates: 3,
        haltFailureShare: 0,
        ...policy,
      },
    });
  }

  /** Runs a mutation that needs no answer. Throws on user errors. */
  async change(verb: string, input: Record<string, unknown>) {
    const type = `${verb[0]?.toUpperCase()}${verb.slice(1)}Input`;
    const { made } = await this.ask<{ made: { userErrors: unknown[] } }>(
      `mutation ($input: ${type}!) { made: ${verb}(input: $input) { userErrors { field message } } }`,
      { input },
    );
    if (made.userErrors.length > 0) throw new Error(`${verb}: ${JSON.stringify(made.userErrors)}`);
  }

  /** Sends the update check of a machine and returns the answer. */
  async omaha(applicationId: string, track: string, version = '1.0.0'): Promise<string> {
    const body = `<request protocol="3.0"><app appid="${applicationId}" version="${version}" track="${track}"
      machineid="made-up" board="amd64-usr"><updatecheck/></app></request>`;
    return this.post(body);
  }

  /** Sends the text of a machine's request and returns the answer. */
  async post(body: string): Promise<string> {
    const response = await fetch(`${this.url}/v1/update/`, { method: 'POST', body });
    return response.text();
  }

  async numbers(groupId: string) {
    const { group } = await this.ask<{
      group: {
        numbers: {
          total: number;
          onTarget: number;
          inFlight: number;
          waiting: number;
          heldByReason: { reason: string; machines: number }[];
          funnel: { granted: number };
        };
      };
    }>(
      `query ($groupId: ID!) { group(id: $groupId) { numbers {
        total onTarget inFlight waiting heldByReason { reason machines } funnel { granted } } } }`,
      { groupId },
    );
    return group.numbers;
  }
}

import { graphql } from '$lib/api/graphql';
import { channelPath, groupPath, packagePath } from '$lib/paths';
import { session } from '$lib/api/session.svelte';
import type { Reference } from './difference';

const packageQuery = graphql(`
  query AuditPackage($id: ID!) {
    package(id: $id) {
      version
      application {
        id
      }
    }
  }
`);

const channelQuery = graphql(`
  query AuditChannel($id: ID!) {
    channel(id: $id) {
      name
      application {
        id
      }
    }
  }
`);

const groupQuery = graphql(`
  query AuditGroup($id: ID!) {
    group(id: $id) {
      name
      application {
        id
      }
    }
  }
`);

interface Name {
  name: string;
  href: string;
}

/** The current name of a referenced object; null if it was deleted. */
export async function nameOf(kind: Reference, id: string): Promise<Name | null> {
  switch (kind) {
    case 'package': {
      const { package: found } = await session.ask(packageQuery, { id });
      return found && { name: found.version, href: packagePath(found.application.id, id) };
    }
    case 'channel': {
      const { channel } = await session.ask(channelQuery, { id });
      return channel && { name: channel.name, href: channelPath(channel.application.id, id) };
    }
    case 'group': {
      const { group } = await session.ask(groupQuery, { id });
      return group && { name: group.name, href: groupPath(group.application.id, id) };
    }
  }
}

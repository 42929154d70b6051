// The initial documents of the playground, one per tab. Replace the id in the
// variables with one from the first document to run the others.

export const welcome = `# CoreRoller's API. Press Ctrl-Enter to run, Ctrl-Space to complete,
# and open the book on the left for the manual.
`;

const groupId = '9a2deb70-37be-4026-853f-bfdd6b347bbe';
const variables = JSON.stringify({ groupId }, null, 2);

export const examples = [
  {
    query: `${welcome}
query Fleet {
  fleet {
    total
    onTarget
    inFlight
    failed
    attention { kind sentence }
  }
  applications {
    id
    name
    groups {
      id
      name
      arch
      state
      policySentence
      channel { name package { version } }
    }
  }
}
`,
  },
  {
    query: `query Group($groupId: ID!) {
  group(id: $groupId) {
    name
    state
    revision
    numbers {
      total
      onTarget
      inFlight
      concurrencyLimit
      waiting
      failed
      byVersion { version machines }
      heldByReason { reason machines }
    }
    rollout {
      version
      state
      currentWave
      projectedEnd
      halt { sentence }
    }
  }
  instances(filter: { groupId: $groupId, states: [ERROR, ON_HOLD] }, first: 10) {
    totalCount
    nodes { machineId version state reason decision }
    pageInfo { hasNextPage endCursor }
  }
}
`,
    variables,
  },
  {
    query: `subscription Watch($groupId: ID!) {
  groupChanged(groupId: $groupId) {
    asOf
    snapshot
    group {
      state
      numbers { onTarget inFlight concurrencyLimit waiting failed }
    }
  }
}
`,
    variables,
  },
  {
    query: `mutation Pause($groupId: ID!) {
  pauseUpdates(input: { groupId: $groupId, reason: "mirror overloaded" }) {
    group { state pause { by reason at } }
    userErrors { code field message }
  }
}

mutation Resume($groupId: ID!) {
  resumeUpdates(input: { groupId: $groupId, reason: "mirror is back" }) {
    group { state }
    userErrors { code field message }
  }
}
`,
    variables,
  },
];

import { expect, test } from 'vitest';
import { addedLabels, labelFilter, labelsOf } from './labels';

test('text with "=" is an attribute, other text a tag', () => {
  expect(labelsOf({ add: ' rack = 3=4 ' })).toEqual({ setAttributes: [{ name: 'rack', value: '3=4' }] });
  expect(labelsOf({ add: 'canary ' })).toEqual({ addTags: ['canary'] });
  expect(labelsOf({ removeTag: 'canary' })).toEqual({ removeTags: ['canary'] });
  expect(labelsOf({ removeAttribute: 'rack' })).toEqual({ removeAttributes: ['rack'] });
});

test('the filter field takes several attributes and tags', () => {
  expect(labelFilter('rack=3  canary b')).toEqual({
    attributes: [{ name: 'rack', value: '3' }],
    tags: ['canary', 'b'],
  });
  expect(labelFilter('canary')).toEqual({ tags: ['canary'] });
  expect(addedLabels('rack=3 canary')).toEqual({
    setAttributes: [{ name: 'rack', value: '3' }],
    addTags: ['canary'],
  });
  expect(labelFilter(' ')).toEqual({});
});

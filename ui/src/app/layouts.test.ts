import { describe, expect, it } from 'vitest';
import { WORKSPACES } from '@/lib/ui';
import { placesFor } from './layouts';
import { PANELS } from './panels';

describe.each(WORKSPACES)('default board of %s', (name) => {
  it.each([
    [1_912, 1_012],
    [1_272, 648],
    [1_016, 568],
    [3_832, 2_088],
  ])('on %d × %d has panels that exist, each beside one that came before, in the room there is', (width, height) => {
    const places = placesFor(name, { width, height });
    const ids = places.map((place) => place.id);
    expect(new Set(ids).size).toBe(ids.length);
    for (const [i, place] of places.entries()) {
      expect(PANELS, place.kind).toHaveProperty(place.kind);
      if (place.beside) expect(ids.slice(0, i), place.id).toContain(place.beside.panel);
      expect(place.height ?? 0).toBeLessThan(height);
    }
    const columns = places.filter((place) => place.beside && ['left', 'right'].includes(place.beside.direction));
    const taken = columns
      .filter((place) => place.beside?.panel === ids[0])
      .reduce((sum, place) => sum + (place.width ?? 0), 0);
    expect(taken).toBeLessThan(width * 0.85);
  });
});

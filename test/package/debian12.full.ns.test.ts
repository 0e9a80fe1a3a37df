import { debianStory } from './debianStory.js';

describe('Debian 12', () => {
  debianStory('bookworm', 20);
});

import { debianStory } from './debianStory.js';

describe('Debian 13', () => {
  debianStory('trixie', 20);
});

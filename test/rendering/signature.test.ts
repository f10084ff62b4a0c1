import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { prepareEnding } from '../../src/rendering/hmac-lanes.ts';
import { createSigner, signatureLength } from '../../src/rendering/signature.ts';

const [first, second] = [
  { id: 'new', secret: 'n'.repeat(32) },
  { id: 'old', secret: 'o'.repeat(32) },
];

/** As the standard library has it. */
function hmac(secret: string, text: string): string {
  return createHmac('sha256', secret).update(text).digest('base64url').slice(0, 22);
}

describe('a signature', () => {
  const secrets = fc.oneof(
    fc.string({ minLength: 1, maxLength: 200, unit: 'binary' }),
    fc.constantFrom(63, 64, 65).map(length => 'x'.repeat(length)),
  );

  test('is the beginning of the HMAC-SHA256 of any text with any secret', () => {
    const texts = fc.oneof(
      fc.string({ maxLength: 300 }),
      fc.string({ maxLength: 300, unit: 'binary' }),
      fc.integer({ min: 1_300, max: 9_000 }).map(length => 'é'.repeat(length)),
    );
    fc.assert(
      fc.property(secrets, texts, (secret, text) => {
        const signed = createSigner([{ id: 'main', secret }]).sign(text);
        expect(signed).toBe(`main.${hmac(secret, text)}`);
      }),
      { numRuns: 2_000 },
    );
  });

  test('is written into bytes as it is otherwise told, of however many', () => {
    const own = fc.string({ minLength: 64, maxLength: 64, unit: 'grapheme-ascii' });
    const ending = fc.string({ maxLength: 55, unit: 'grapheme-ascii' });
    const texts = fc.array(fc.record({ own, ending, before: fc.nat(9) }), { maxLength: 11 });
    fc.assert(
      fc.property(secrets, texts, (secret, all) => {
        const signer = createSigner([{ id: 'main', secret }]);
        const batch = signer.createBatch();
        let unsigned = '';
        let signed = '';
        for (const { own, ending, before } of all) {
          const beginning = `${'<'.repeat(before)}${signer.prefix}`;
          batch.add(unsigned.length + beginning.length, prepareEnding(ending));
          unsigned += `${beginning}${' '.repeat(signatureLength)}/${own}${ending}`;
          signed += `${'<'.repeat(before)}${signer.sign(own + ending)}/${own}${ending}`;
        }
        const bytes = Buffer.from(unsigned);
        batch.sign(bytes);
        expect(bytes.toString()).toBe(signed);
      }),
      { numRuns: 2_000 },
    );
  });

  test('of what is written into one answer is not mixed up with that of another', () => {
    const signer = createSigner([first]);
    const texts = ['a', 'b', 'c'].map(letter => letter.repeat(64));
    const written = texts.map(text => ({
      batch: signer.createBatch(),
      bytes: Buffer.from(`${signer.prefix}${' '.repeat(signatureLength)}/${text}.jpg`),
    }));
    for (const { batch } of written) batch.add(signer.prefix.length, prepareEnding('.jpg'));
    for (const { batch, bytes } of written.toReversed()) batch.sign(bytes);
    expect(written.map(({ bytes }) => bytes.toString())).toEqual(
      texts.map(text => `${signer.sign(`${text}.jpg`)}/${text}.jpg`),
    );
  });

  test('has room for an ending of 55 characters', () => {
    expect(() => prepareEnding('x'.repeat(56))).toThrow('has 56 characters; at most 55');
  });

  test('does not depend on what was signed before', () => {
    const signer = createSigner([first]);
    signer.sign('a much longer text than the next one');
    expect(signer.sign('short')).toBe(`new.${hmac(first.secret, 'short')}`);
  });

  test('is made with the first key and verified with any', () => {
    const signer = createSigner([first, second]);
    expect(signer.sign('x')).toBe(createSigner([first]).sign('x'));
    expect(signer.verify(createSigner([second]).sign('x'), 'x')).toBe(true);
  });

  test('is not verified with a key that is gone', () => {
    expect(createSigner([first]).verify(createSigner([second]).sign('x'), 'x')).toBe(false);
  });

  test.for([
    ['of another text', `new.${hmac(first.secret, 'y')}`],
    ['under the id of another key', `old.${hmac(first.secret, 'x')}`],
    ['under no id', hmac(first.secret, 'x')],
    ['under an empty id', `.${hmac(first.secret, 'x')}`],
    ['cut short', `new.${hmac(first.secret, 'x').slice(1)}`],
    ['with more behind', `new.${hmac(first.secret, 'x')}A`],
    ['with characters that are not ASCII', `new.${'é'.repeat(11)}`],
    ['that is empty', ''],
  ])('%s is refused', ([, signature = '']) => {
    expect(createSigner([first, second]).verify(signature, 'x')).toBe(false);
  });

  test('cannot be made without a key', () => {
    expect(() => createSigner([])).toThrow('There is no key to sign with');
  });
});

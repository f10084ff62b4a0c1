import { failPlan } from './plan-failed.ts';
import { type Complete, isPromise, type PlannedField } from './planned-fields.ts';

// The code that makes an object of an answer. A loop over its fields would do something else each time at the same place,
// which engines cannot make fast: an answer of thousands of values takes two fifths longer.

/** What the code is given, under these names. */
const tools = { failPlan, isPromise };

/** Names come into the code as JSON strings alone. */
export function compileFields(fields: readonly PlannedField[]): Complete {
  const source = `
    ${fields.map((_field, at) => `const { ${members.map(name => `${name}: ${name}${at}`)} } = fields[${at}];`).join('')}
    return (source, run) => {
      const results = {${startOf(fields)}};
      let value;
      ${fields.map(writeField).join('')}
      return results;
    };`;
  return new Function('fields', ...Object.keys(tools), source)(fields, ...Object.values(tools));
}

const members: readonly (keyof PlannedField)[] = [
  'isIncluded',
  'resolve',
  'give',
  'info',
  'leaf',
  'complete',
];

/** Objects that have all their fields from the start need not be changed with each. */
function startOf(fields: readonly PlannedField[]): string {
  if (fields.some(({ isIncluded }) => isIncluded)) return '';
  return fields.map(({ key }) => `${JSON.stringify(key)}: null`).join();
}

function writeField(field: PlannedField, at: number): string {
  const code =
    field.property !== null && field.leaf ? writeLeaf(field, field.property, at) : writeAny(field, at);
  return field.isIncluded ? `if (isIncluded${at}(run.variables)) { ${code} }` : code;
}

function writeLeaf({ key, leaf }: PlannedField, property: string, at: number): string {
  return `
    value = source[${JSON.stringify(property)}];
    if (value === null || value === undefined) value = ${leaf?.isNullable ? 'null' : 'failPlan()'};
    else value = leaf${at}.type.serialize(value) ?? failPlan();
    results[${JSON.stringify(key)}] = value;`;
}

function writeAny({ key }: PlannedField, at: number): string {
  const name = JSON.stringify(key);
  return `
    value = resolve${at}(source, give${at}(run), run.context, info${at});
    if (isPromise(value)) {
      results[${name}] = null;
      run.completeLater(results, ${name}, value, complete${at});
    } else results[${name}] = complete${at}(value, run);`;
}

/** The operation is to be executed in the ordinary way. */
export class PlanFailed extends Error {
  override name = 'PlanFailed';
}

export function failPlan(): never {
  throw new PlanFailed();
}

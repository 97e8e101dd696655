/** A value of a list that must be there: columns of one answer are equally long. Raises RangeError when they are not. */
export function at<T>(list: readonly T[], index: number): T {
  const value = list[index];
  if (value === undefined) throw new RangeError(`no value at ${String(index)} of ${String(list.length)}`);
  return value;
}

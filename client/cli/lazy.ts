/** A command that is loaded when it is called: a node need not hold the code of a coordinator. */
export const lazy =
  <A extends unknown[]>(load: () => Promise<(...args: A) => unknown>) =>
  async (...args: A): Promise<void> => {
    const command = await load();
    await command(...args);
  };

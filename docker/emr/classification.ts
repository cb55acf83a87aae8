/** One entry of a cluster's software settings, as EMR's API and console take it. */
export interface Classification {
  readonly Classification: string;
  readonly Properties: Readonly<Record<string, string>>;
  readonly Configurations?: readonly Classification[];
}

/**
 * The report's looks: light, dark and in print. Text has at least 4.5 times the luminance of its ground or the other way
 * round, lines and dots 3 times.
 */
export const STYLE = `
:root { color-scheme: light dark; --ground: #ffffff; --raised: #f4f6f8; --text: #1b1f24; --muted: #505862; --rule: #d4d9df;
  --actual: #0060ad; --predicted: #b23c00; --repaired: #a5107a; --band: #b23c0033; --link: #0060ad; }
@media (prefers-color-scheme: dark) { :root { --ground: #14171c; --raised: #1e232a; --text: #e9ecef; --muted: #a9b2bd; --rule: #3a424d;
  --actual: #6db3f7; --predicted: #ffa263; --repaired: #ff8ad0; --band: #ffa26340; --link: #8cc4ff; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--text); font: 1rem/1.5 system-ui, -apple-system, "Segoe UI", sans-serif; }
main, header, footer, nav { max-width: 68rem; margin: 0 auto; padding: 0 1rem; }
header { padding-top: 2rem; }
h1 { font-size: 1.75rem; line-height: 1.2; margin: 0 0 .25rem; overflow-wrap: anywhere; }
h2 { font-size: 1.25rem; margin: 2.5rem 0 .5rem; padding-top: 1rem; border-top: 1px solid var(--rule); overflow-wrap: anywhere; }
h3 { font-size: 1rem; margin: 1.5rem 0 .25rem; overflow-wrap: anywhere; }
p, dl, ul { margin: .5rem 0; max-width: 46rem; overflow-wrap: anywhere; }
a { color: var(--link); }
nav ul { max-width: none; display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; padding: 0; list-style: none; }
.muted, footer { color: var(--muted); }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(8.5rem, 1fr)); gap: .75rem; max-width: none; }
.figures div { background: var(--raised); border-radius: .5rem; padding: .6rem .8rem; }
.figures dt { color: var(--muted); font-size: .875rem; }
.figures dd { margin: 0; font-size: 1.375rem; font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
.chart { position: relative; margin: .5rem 0 0; padding: 0 .75rem .25rem 3.5rem; }
.chart svg { display: block; width: 100%; height: 17rem; overflow: visible; }
.square .chart { max-width: 30rem; }
.square .chart svg { height: 22rem; }
.y-axis { position: absolute; left: 0; width: 3.1rem; height: 17rem; top: 1.4rem; }
.square .y-axis { height: 22rem; }
.y-axis span { position: absolute; right: 0; transform: translateY(-50%); }
.y-axis, .x-axis, .axis-title { font-size: .8125rem; line-height: 1.4rem; color: var(--muted); font-variant-numeric: tabular-nums; }
.axis-title { height: 1.4rem; margin: 0 0 0 -3.25rem; max-width: none; white-space: nowrap; overflow: hidden; text-overflow: ellipsis; }
.axis-title.under { margin: 0; text-align: center; }
.x-axis { position: relative; height: 1.4rem; }
.x-axis span { position: absolute; transform: translateX(-50%); white-space: nowrap; }
svg path { fill: none; vector-effect: non-scaling-stroke; stroke-linejoin: round; }
svg .grid { stroke: var(--rule); stroke-width: 1; }
svg .frame { stroke: var(--muted); stroke-width: 1; }
svg .line-actual { stroke: var(--actual); stroke-width: 2; }
svg .line-predicted { stroke: var(--predicted); stroke-width: 1; }
svg .line-zero { stroke: var(--text); stroke-width: 1; stroke-dasharray: 5 4; }
svg .band { fill: var(--band); }
svg [class^="dot"] { stroke-linecap: round; }
svg .dot-actual { stroke: var(--actual); stroke-width: 4; }
svg .dot-predicted { stroke: var(--predicted); stroke-width: 4; }
svg .dot-repaired { stroke: var(--repaired); stroke-width: 6; }
svg .column { fill: var(--actual); }
.legend { display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; padding: 0; margin: .5rem 0 0; list-style: none; font-size: .875rem; max-width: none; }
.legend svg { width: 1.5rem; height: .75rem; margin-right: .4rem; vertical-align: -.05rem; }
.scroll { overflow: auto; max-height: 26rem; margin: .5rem 0; }
table { border-collapse: collapse; font-size: .9375rem; font-variant-numeric: tabular-nums; }
caption { text-align: left; color: var(--muted); padding: .25rem 0; }
th, td { padding: .3rem 1rem .3rem 0; text-align: right; border-bottom: 1px solid var(--rule); white-space: nowrap; }
th:first-child { text-align: left; font-weight: 400; white-space: normal; overflow-wrap: anywhere; min-width: 7rem; max-width: 24rem; }
thead th, thead th:first-child { position: sticky; top: 0; background: var(--ground); font-weight: 600; }
.bar { display: inline-block; width: 10rem; max-width: 30vw; height: .7rem; margin-right: .6rem; text-align: left; }
.bar span { display: block; height: 100%; background: var(--actual); border-radius: 2px; min-width: 1px; }
.value { display: inline-block; min-width: 5.5rem; }
details { margin: .5rem 0; }
summary { cursor: pointer; color: var(--link); }
:focus-visible { outline: 3px solid var(--link); outline-offset: 2px; }
footer { margin-top: 3rem; padding-bottom: 2rem; font-size: .875rem; }
@page { margin: 15mm; }
@media (max-width: 40rem) { .x-axis .minor { display: none; } .chart { padding-left: 2.75rem; padding-right: .5rem; }
  .chart svg, .y-axis { height: 13rem; } .square .chart svg, .square .y-axis { height: 18rem; } .y-axis { width: 2.4rem; } .axis-title { margin-left: -2.75rem; } }
@media print { :root { color-scheme: light; --ground: #fff; --raised: #fff; --text: #000; --muted: #444; --rule: #bbb;
  --actual: #0060ad; --predicted: #b23c00; --repaired: #a5107a; --band: #b23c0033; --link: #000; }
  body { font-size: 10pt; } nav, details { display: none; } main, header, footer { max-width: none; padding: 0; }
  h2 { break-after: avoid; margin-top: 1.25rem; } h3 { break-after: avoid; } .chart, .figures div, tr, .legend, table { break-inside: avoid; } .legend { break-before: avoid; } .figures div { border: 1px solid var(--rule); }
  .scroll { overflow: visible; max-height: none; } .chart svg, .y-axis { height: 13rem; } .bar span, svg { print-color-adjust: exact; -webkit-print-color-adjust: exact; } }
`;

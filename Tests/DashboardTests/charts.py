"""What tests ask the charts of a page."""

# The chart with that title.
CHART = """(title) => [...document.querySelectorAll(".chart-area")].map((area) => area.chart)
  .find((chart) => chart.options.title === title)"""
# [step, mean, lowest, highest] of a point as drawn, and how opaque the canvas is at the mean, in the band, and outside.
DRAWN = f"""([title, row]) => {{
  const chart = ({CHART})(title);
  const graph = chart.graph;
  const columns = chart.columnsOf(chart.lines[0]);
  const [step, middle, low, high] = ["x", "mean", "low", "high"].map((name) => columns[name][row]);
  const context = graph.hidden_.getContext("2d");
  const scale = graph.hidden_.width / graph.hidden_.clientWidth;
  const alpha = (value) => {{
    const [x, y] = graph.toDomCoords(step, value);
    const at = (dy) => context.getImageData(Math.round(x * scale), Math.round(y * scale) + dy, 1, 1).data[3];
    return Math.max(at(-1), at(0), at(1));
  }};
  return {{ step, bar: [middle, low, high], line: alpha(middle), band: alpha((middle + 2 * high) / 3),
            outside: alpha(high + (high - low) / 2) }};
}}"""
# All points of a line as the chart has them, [step, mean, min, max].
POINTS = f"""([title, id]) => {{
  const chart = ({CHART})(title);
  const columns = chart.columnsOf(chart.lines.find((line) => line.id === id));
  const value = (number) => (Number.isNaN(number) ? null : number);
  return Array.from(columns.step, (step, index) =>
    [step, value(columns.mean[index]), value(columns.low[index]), value(columns.high[index])]);
}}"""
WINDOW = f"(title) => ({CHART})(title).group.shown"

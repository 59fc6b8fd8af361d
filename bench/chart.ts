/** Draws results as an SVG bar chart. */
import * as echarts from "echarts";

export interface Series {
  name: string;
  values: readonly (number | null)[];
}

/** Grouped horizontal bars: one group a category, one bar a series. Returns the SVG document. */
export function barChart(
  title: string,
  unit: string,
  categories: readonly string[],
  series: readonly Series[],
): string {
  const height = 90 + categories.length * (12 * series.length + 14);
  const chart = echarts.init(null, null, { renderer: "svg", ssr: true, width: 760, height });
  chart.setOption({
    animation: false,
    backgroundColor: "#ffffff",
    title: { text: title, left: 8, top: 6, textStyle: { fontSize: 15 } },
    legend: { top: 30, left: 8 },
    grid: { left: 100, right: 60, top: 62, bottom: 30 },
    xAxis: { type: "value", name: unit },
    yAxis: { type: "category", inverse: true, data: [...categories] },
    series: series.map(({ name, values }) => ({ type: "bar", name, data: [...values] })),
  });
  const svg = chart.renderToSVGString();
  chart.dispose();
  return svg;
}

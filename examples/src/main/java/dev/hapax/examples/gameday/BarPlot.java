package dev.hapax.examples.gameday;

import java.util.List;

/**
 * Draws bars, each with its name and its value, as SVG that a page shows in the colours of its reader.
 *
 * <p>Immutable.
 *
 * @param title what it shows
 * @param description the same in a sentence, for those who can't see it
 */
record BarPlot(String title, String description) {
    private static final int WIDTH = 960;
    private static final int NAMES = 230;
    private static final int VALUES = 190;
    private static final int ROW = 22;

    /**
     * One bar.
     *
     * @param style a class of the page's style sheet
     * @param value 0 or more
     * @param shown the value as it is written beside it
     */
    record Bar(String name, String style, double value, String shown) {}

    String svg(List<Bar> bars) {
        double most = bars.stream().mapToDouble(Bar::value).max().orElse(0);
        Markup out = new Markup();
        out.raw("<svg viewBox=\"0 0 %d %d\" role=\"img\">\n", WIDTH, Math.max(1, bars.size()) * ROW + 4);
        out.element("title", title).element("desc", description);
        for (int i = 0; i < bars.size(); i++) {
            Bar bar = bars.get(i);
            int y = i * ROW + 2;
            double width = most == 0 ? 0 : bar.value() / most * (WIDTH - NAMES - VALUES);
            out.raw(
                    "<text class=\"name\" text-anchor=\"end\" x=\"%d\" y=\"%d\">%s</text>",
                    NAMES - 10, y + 15, Markup.escape(bar.name()));
            out.raw(
                    "<rect class=\"bar %s\" x=\"%d\" y=\"%d\" width=\"%.1f\" height=\"%d\"/>",
                    bar.style(), NAMES, y + 2, Math.max(1, width), ROW - 6);
            out.raw(
                    "<text class=\"name\" x=\"%.1f\" y=\"%d\">%s</text>\n",
                    NAMES + width + 8, y + 15, Markup.escape(bar.shown()));
        }
        return out.raw("</svg>\n").toString();
    }
}

package dev.hapax.examples.gameday;

import java.util.List;
import java.util.Locale;

/**
 * Draws lines over the time of a game day, with each fault marked, as SVG that a page shows in the colours of its reader.
 *
 * <p>Immutable.
 *
 * @param title what it shows
 * @param description the same in a sentence, for those who can't see it
 * @param unit of the values
 * @param logarithmic whether each step up is ten times as much
 */
record TimePlot(String title, String description, String unit, boolean logarithmic) {
    private static final int WIDTH = 960;
    private static final int HEIGHT = 300;
    private static final int LEFT = 64;
    private static final int RIGHT = 16;
    private static final int TOP = 28;
    private static final int BOTTOM = 36;
    private static final int NUMBERED_MAX = 40;

    /**
     * One line.
     *
     * @param style a class of the page's style sheet
     * @param values one for each step of time
     */
    record Line(String name, String style, double[] values) {}

    /** How long a step of the time axis is, for a time in seconds: about eight of them. */
    private static double timeTick(double seconds) {
        for (double tick : new double[] {1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1_800, 3_600, 7_200, 14_400}) {
            if (seconds / tick <= 9) {
                return tick;
            }
        }
        return 28_800;
    }

    String svg(Course course, List<Incident> incidents, List<Line> lines) {
        Scale scale = scale(lines);
        Markup out = new Markup();
        out.raw("<svg viewBox=\"0 0 %d %d\" role=\"img\">\n", WIDTH, HEIGHT);
        out.element("title", title).element("desc", description);
        marks(out, course, incidents);
        axes(out, course, scale);
        for (Line line : lines) {
            out.raw("<path class=\"line %s\" d=\"%s\"/>\n", line.style(), path(line.values(), scale));
        }
        legend(out, lines);
        return out.raw("</svg>\n").toString();
    }

    /** From a value to a height. */
    private record Scale(double low, double high, boolean logarithmic) {
        double y(double value) {
            double share = logarithmic
                    ? Math.log10(Math.max(low, value) / low) / Math.log10(high / low)
                    : (value - low) / (high - low);
            return HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM);
        }
    }

    private Scale scale(List<Line> lines) {
        double most = 1;
        for (Line line : lines) {
            for (double value : line.values()) {
                most = Math.max(most, value);
            }
        }
        if (logarithmic) {
            return new Scale(1, Math.pow(10, Math.max(1, Math.ceil(Math.log10(most)))), true);
        }
        double tick = valueTick(most);
        return new Scale(0, Math.ceil(most / tick) * tick, false);
    }

    /** 1, 2 or 5 with zeros, so that there are three to seven of them. */
    private static double valueTick(double most) {
        double tick = Math.pow(10, Math.floor(Math.log10(most / 3)));
        if (most / tick > 15) {
            return tick * 5;
        }
        return most / tick > 7 ? tick * 2 : tick;
    }

    private static double x(double seconds, double all) {
        return LEFT + seconds / all * (WIDTH - LEFT - RIGHT);
    }

    /** A band as long as each fault lasted, and a fainter one until it was got over. */
    private static void marks(Markup out, Course course, List<Incident> incidents) {
        for (int i = 0; i < incidents.size(); i++) {
            Incident incident = incidents.get(i);
            double at = incident.at().toMillis() / 1e3;
            double end = at + incident.lasted().toMillis() / 1e3;
            double over = end + incident.recovery().orElse(Faults.PATIENCE).toMillis() / 1e3;
            out.raw("<g class=\"fault\">");
            out.element("title", (i + 1) + ": " + incident.kind().flag() + ", " + incident.hit());
            band(out, "struck", x(at, course.seconds()), x(end, course.seconds()));
            band(out, "after", x(end, course.seconds()), x(Math.min(over, course.seconds()), course.seconds()));
            if (incidents.size() <= NUMBERED_MAX) {
                out.raw("<text x=\"%.1f\" y=\"%d\">%d</text>", x(at, course.seconds()), TOP - 4, i + 1);
            }
            out.raw("</g>\n");
        }
    }

    private static void band(Markup out, String style, double from, double to) {
        out.raw(
                "<rect class=\"%s\" x=\"%.1f\" y=\"%d\" width=\"%.1f\" height=\"%d\"/>",
                style, from, TOP, Math.max(1, to - from), HEIGHT - TOP - BOTTOM);
    }

    private void axes(Markup out, Course course, Scale scale) {
        double tick = timeTick(course.seconds());
        for (double at = 0; at <= course.seconds(); at += tick) {
            out.raw(
                    "<text class=\"tick\" text-anchor=\"middle\" x=\"%.1f\" y=\"%d\">%s</text>\n",
                    x(at, course.seconds()), HEIGHT - BOTTOM + 18, clock(at));
        }
        double step = logarithmic ? 10 : valueTick(scale.high());
        for (double value = scale.low();
                value <= scale.high() * 1.0001;
                value = logarithmic ? value * step : value + step) {
            double y = scale.y(value);
            out.raw("<path class=\"grid\" d=\"M%d %.1fH%d\"/>", LEFT, y, WIDTH - RIGHT);
            out.raw(
                    "<text class=\"tick\" text-anchor=\"end\" x=\"%d\" y=\"%.1f\">%,.0f</text>\n",
                    LEFT - 8, y + 4, value);
        }
        out.raw("<text class=\"tick\" x=\"4\" y=\"%d\">%s</text>\n", TOP - 10, Markup.escape(unit));
    }

    private static String clock(double seconds) {
        return seconds < 120
                ? String.format(Locale.ROOT, "%.0f s", seconds)
                : String.format(Locale.ROOT, "%.0f:%02.0f", Math.floor(seconds / 60), seconds % 60);
    }

    /** Where there is nothing to show on a logarithmic scale, the line has a gap. */
    private static String path(double[] values, Scale scale) {
        StringBuilder path = new StringBuilder();
        boolean drawn = false;
        for (int i = 0; i < values.length; i++) {
            boolean shown = values[i] > 0 || !scale.logarithmic();
            if (shown) {
                path.append(String.format(
                        Locale.ROOT, "%s%.1f %.1f", drawn ? "L" : "M", x(i + 0.5, values.length), scale.y(values[i])));
            }
            drawn = shown;
        }
        return path.toString();
    }

    private static void legend(Markup out, List<Line> lines) {
        int x = WIDTH - RIGHT;
        for (Line line : lines.reversed()) {
            out.raw(
                    "<text class=\"tick\" text-anchor=\"end\" x=\"%d\" y=\"%d\">%s</text>",
                    x, HEIGHT - 4, Markup.escape(line.name()));
            x -= 8 * line.name().length() + 6;
            out.raw("<path class=\"line %s\" d=\"M%d %dh-28\"/>\n", line.style(), x, HEIGHT - 8);
            x -= 48;
        }
    }
}

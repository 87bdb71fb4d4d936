package dev.hapax.json;

import java.math.BigDecimal;
import java.math.MathContext;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import tools.jackson.databind.JsonNode;

/** RFC 8785, JSON Canonicalization Scheme: members sorted by UTF-16 code units, ECMAScript numbers, shortest escapes, no white space. */
final class CanonicalJson {

    private CanonicalJson() {}

    static byte[] of(JsonNode node) {
        StringBuilder out = new StringBuilder(256);
        write(node, out);
        return out.toString().getBytes(StandardCharsets.UTF_8);
    }

    private static void write(JsonNode node, StringBuilder out) {
        if (node.isObject()) {
            List<String> names = new ArrayList<>(node.propertyNames());
            // String order is the order of UTF-16 code units, as section 3.2.3 asks.
            Collections.sort(names);
            char before = '{';
            for (String name : names) {
                out.append(before);
                string(name, out);
                out.append(':');
                write(node.get(name), out);
                before = ',';
            }
            out.append(names.isEmpty() ? "{}" : "}");
        } else if (node.isArray()) {
            char before = '[';
            for (JsonNode element : node) {
                out.append(before);
                write(element, out);
                before = ',';
            }
            out.append(node.isEmpty() ? "[]" : "]");
        } else if (node.isNumber()) {
            out.append(number(node));
        } else if (node.isBoolean() || node.isNull()) {
            out.append(node.isNull() ? "null" : Boolean.toString(node.booleanValue()));
        } else {
            string(node.isBinary() || node.isPojo() ? node.asString() : node.stringValue(), out);
        }
    }

    private static String number(JsonNode node) {
        if (node.isFloat() || node.isDouble()) {
            double value = node.doubleValue();
            if (Double.isNaN(value) || Double.isInfinite(value)) {
                throw new IllegalArgumentException("a request can't contain " + value + ": JSON has no such number");
            }
            return ecmaScript(value);
        }
        BigDecimal exact = node.decimalValue();
        double nearest = exact.doubleValue();
        // 0.1 has no exact double, yet it is what the double nearest to it prints as: compare decimals, not binary
        // values.
        if (!Double.isInfinite(nearest) && new BigDecimal(Double.toString(nearest)).compareTo(exact) == 0) {
            return ecmaScript(nearest);
        }
        return exact.stripTrailingZeros().toPlainString();
    }

    /** Number::toString of ECMA-262, section 6.1.6.1.20. Java's shortest digits are the same since JDK 19 (JDK-4511638). */
    static String ecmaScript(double value) {
        if (value == 0) {
            return "0";
        }
        String sign = value < 0 ? "-" : "";
        BigDecimal shortest = new BigDecimal(Double.toString(Math.abs(value))).stripTrailingZeros();
        // Java writes at least two digits (4.9E-324), ECMAScript as few as tell the number apart (5e-324).
        BigDecimal oneDigit = shortest.round(new MathContext(1));
        if (oneDigit.doubleValue() == Math.abs(value)) {
            shortest = oneDigit.stripTrailingZeros();
        }
        String digits = shortest.unscaledValue().toString();
        int k = digits.length();
        int n = k - shortest.scale();
        if (k <= n && n <= 21) {
            return sign + digits + "0".repeat(n - k);
        }
        if (0 < n && n <= 21) {
            return sign + digits.substring(0, n) + "." + digits.substring(n);
        }
        if (-6 < n && n <= 0) {
            return sign + "0." + "0".repeat(-n) + digits;
        }
        String exponent = (n - 1 < 0 ? "e-" : "e+") + Math.abs(n - 1);
        return sign + digits.charAt(0) + (k == 1 ? "" : "." + digits.substring(1)) + exponent;
    }

    private static void string(String value, StringBuilder out) {
        out.append('"');
        for (int i = 0; i < value.length(); i++) {
            char c = value.charAt(i);
            switch (c) {
                case '"' -> out.append("\\\"");
                case '\\' -> out.append("\\\\");
                case '\b' -> out.append("\\b");
                case '\f' -> out.append("\\f");
                case '\n' -> out.append("\\n");
                case '\r' -> out.append("\\r");
                case '\t' -> out.append("\\t");
                default -> {
                    if (c < 0x20) {
                        out.append(String.format("\\u%04x", (int) c));
                    } else {
                        out.append(c);
                    }
                }
            }
        }
        out.append('"');
    }
}

package dev.hapax.server.command;

import java.util.regex.Pattern;

/** JDBC URLs as they may be shown. */
final class Urls {

    private static final Pattern PARAMETER = Pattern.compile("(?i)([?&](?:ssl)?password=)[^&\\s\"']*");
    private static final Pattern AUTHORITY = Pattern.compile("(//[^/:@\\s]*):[^/@\\s]*@");

    private Urls() {}

    /** The text without the passwords of URLs in it. */
    static String masked(String text) {
        return AUTHORITY.matcher(PARAMETER.matcher(text).replaceAll("$1***")).replaceAll("$1:***@");
    }
}

package dev.hapax.kafka;

import java.util.List;
import java.util.regex.Pattern;

/** Which topics are read. */
sealed interface Subscription {

    record Names(List<String> topics) implements Subscription {}

    record Matching(Pattern topics) implements Subscription {}
}

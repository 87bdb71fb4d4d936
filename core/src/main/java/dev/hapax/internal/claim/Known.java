package dev.hapax.internal.claim;

import dev.hapax.internal.Reasons;
import dev.hapax.spi.Encoded;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/**
 * How an operation ended, before that is settled. One of the two is there.
 *
 * @param refusal why the other side said no
 */
record Known(@Nullable Encoded answer, @Nullable String refusal) {

    /** The stored type of a refusal, in the place of an answer's. */
    static final String REFUSAL = "hapax.refusal.v1";

    static Known done(Encoded answer) {
        return new Known(answer, null);
    }

    static Known refused(@Nullable String reason) {
        return new Known(null, Reasons.cut(reason == null || reason.isBlank() ? "refused without a reason" : reason));
    }

    /** What is stored beside the marker. */
    Encoded outcome() {
        return answer != null
                ? answer
                : new Encoded(REFUSAL, String.valueOf(refusal).getBytes(StandardCharsets.UTF_8));
    }

    boolean isRefusal() {
        return answer == null;
    }

    ClaimState state() {
        return isRefusal() ? ClaimState.REFUSED : ClaimState.SETTLED;
    }
}

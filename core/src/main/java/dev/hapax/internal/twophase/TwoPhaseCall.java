package dev.hapax.internal.twophase;

import dev.hapax.Key;
import dev.hapax.internal.Checks;
import dev.hapax.once.Verdict;
import dev.hapax.twophase.TwoPhase;
import dev.hapax.twophase.TwoPhaseEffect;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** One call, as it is gathered. */
final class TwoPhaseCall implements TwoPhase {

    private final TwoPhaseEngine engine;
    private final Map<String, Sessions> known;
    private final Key key;
    private final List<Sessions> participants = new ArrayList<>(2);
    private int waitSeconds;
    private byte @Nullable [] fingerprint;

    TwoPhaseCall(TwoPhaseEngine engine, Map<String, Sessions> known, Key key, int waitSeconds) {
        this.engine = engine;
        this.known = known;
        this.key = key;
        this.waitSeconds = waitSeconds;
    }

    @Override
    public TwoPhase with(String participant) {
        Sessions sessions = known.get(participant);
        if (sessions == null) {
            throw new IllegalArgumentException("there is no participant named " + participant + " (there are "
                    + known.keySet() + "); give it to the builder, .participant(\"" + participant
                    + "\", …): recovery must know it before its first branch");
        }
        Checks.that(!participants.contains(sessions), "the operation has a branch in %s already", participant);
        participants.add(sessions);
        return this;
    }

    @Override
    public TwoPhase matching(Object request) {
        fingerprint = engine.settlements().fingerprint(request);
        return this;
    }

    @Override
    public TwoPhase waitUpTo(Duration time) {
        Checks.duration("waitUpTo", time, Duration.ofSeconds(1), Duration.ofHours(1));
        waitSeconds = TwoPhaseFactory.seconds(time);
        return this;
    }

    @Override
    public <E extends Exception> Verdict run(TwoPhaseEffect<E> effect) throws E {
        Checks.state(!participants.isEmpty(), "no participant was named by with(…); for the home alone, use once");
        return engine.run(
                key, new TwoPhaseEngine.Conditions(List.copyOf(participants), fingerprint, waitSeconds), effect);
    }
}

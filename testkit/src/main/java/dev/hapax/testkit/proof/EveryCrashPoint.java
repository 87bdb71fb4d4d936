package dev.hapax.testkit.proof;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * A test that proves a scenario: the method describes it by its parameter of type {@link Proof}; then it is run clean, and with a fault at each of its points. The test fails with what does not
 * hold, or with a point that was not met; {@code -Dhapax.trial=…} as printed reruns exactly one run.
 *
 * <p>Needs no Docker: a PostgreSQL comes with the testkit.
 */
@Documented
@Target(ElementType.METHOD)
@Retention(RetentionPolicy.RUNTIME)
@Test
@ExtendWith(EveryCrashPointExtension.class)
public @interface EveryCrashPoint {

    /** {@return what happens at a point; default all modes} */
    Mode[] modes() default {
        Mode.DIES, Mode.FAILS_ONCE, Mode.FAILS_FOR_GOOD, Mode.LOST_NOT_COMMITTED, Mode.LOST_COMMITTED, Mode.PAUSED
    };

    /** {@return variations beside {@link Variation#ALONE}; default none} */
    Variation[] variations() default {};

    /** {@return how many runs are drawn from each variation; 0 for all there are} */
    int samples() default 0;

    /** {@return how many pairs of faults are drawn; default none} */
    int pairs() default 0;

    /** {@return how many times two processes do the work at once, in an order that the seed decides; default none} */
    int schedules() default 0;

    /** {@return what decides all that is drawn} */
    long seed() default 1;

    /** {@return how many runs at once, each with a database of its own; default one, since what is not made by {@link Scenario#outside} is shared} */
    int threads() default 1;

    /** {@return whether each of many like boundaries in a row is taken, and not only the first and the last; a consumer takes its 16 lanes so} */
    boolean everyRepeat() default false;
}

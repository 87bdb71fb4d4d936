package dev.hapax.testkit.catalog;

import static org.assertj.core.api.Assertions.assertThat;

import dev.hapax.testkit.EmbeddedDatabase;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

@Tag("slow")
@Timeout(value = 10, unit = TimeUnit.MINUTES)
class MutantsCrashTest {

    static List<Mutant> mutants() {
        return Mutants.all();
    }

    @ParameterizedTest
    @MethodSource("mutants")
    void every_mutant_is_caught_by_the_invariant_that_is_there_for_it(Mutant mutant) {
        assertThat(mutant.run(EmbeddedDatabase.shared()).found()).contains(mutant.invariant());
    }
}

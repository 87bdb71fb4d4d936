package dev.hapax.examples.gameday;

import static org.assertj.core.api.Assertions.assertThat;

import dev.hapax.examples.gameday.Schedule.Planned;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

class ScheduleTest {
    private static final List<FaultKind> ALL = List.of(FaultKind.values());
    private static final Duration SHORT = Duration.ofMinutes(2);

    @Test
    void the_same_seed_draws_the_same() {
        assertThat(Schedule.draw(ALL, SHORT, 42)).isEqualTo(Schedule.draw(ALL, SHORT, 42));
        assertThat(Schedule.draw(ALL, SHORT, 42)).isNotEqualTo(Schedule.draw(ALL, SHORT, 43));
        Planned first = Schedule.draw(ALL, SHORT, 42).faults().getFirst();
        assertThat(first.random().nextLong()).isEqualTo(first.random().nextLong());
    }

    @Test
    void two_minutes_have_room_for_one_of_each_kind() {
        List<FaultKind> kinds = kinds(Schedule.draw(ALL, SHORT, 7));

        assertThat(kinds).containsExactlyInAnyOrderElementsOf(ALL);
    }

    @Test
    void each_kind_comes_once_before_any_comes_again() {
        List<FaultKind> kinds = kinds(Schedule.draw(ALL, Duration.ofMinutes(60), 7));

        assertThat(kinds).hasSizeGreaterThan(200);
        for (int from = 0; from + ALL.size() <= kinds.size(); from += ALL.size()) {
            assertThat(kinds.subList(from, from + ALL.size())).containsExactlyInAnyOrderElementsOf(ALL);
        }
    }

    @Test
    void faults_lie_inside_the_run_and_not_on_top_of_each_other() {
        List<Duration> times =
                Schedule.draw(ALL, SHORT, 7).faults().stream().map(Planned::at).toList();

        assertThat(times).isSorted().doesNotHaveDuplicates();
        assertThat(times.getFirst()).isGreaterThanOrEqualTo(Schedule.CALM_BEFORE);
        assertThat(times.getLast()).isLessThan(SHORT.minus(Schedule.CALM_AFTER));
    }

    @Test
    void where_time_is_short_there_are_fewer() {
        assertThat(kinds(Schedule.draw(ALL, Duration.ofSeconds(20), 7)))
                .hasSize(4)
                .doesNotHaveDuplicates();
    }

    private static List<FaultKind> kinds(Schedule schedule) {
        return schedule.faults().stream().map(Planned::kind).toList();
    }
}

package dev.hapax.server.command;

import dev.hapax.Hapax;
import dev.hapax.saga.SagaOperator;
import dev.hapax.saga.SagaOperator.Action;
import dev.hapax.saga.SagaOperator.Ruling;
import dev.hapax.saga.SagaOperator.Stored;
import dev.hapax.saga.SagaOperator.StoredStep;
import dev.hapax.saga.SagaState;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Sagas: where they stand, and help for those that are stuck. */
@Command(
        name = "saga",
        description = {
            "Sagas: where they stand, what they have done, and help for those that are stuck.",
            "",
            "A SAGA is its id, or the id of its key where only one saga has it. What is done to one is kept with its reason, and done once however often it is said."
        },
        subcommands = {
            SagaCommand.ListSome.class,
            SagaCommand.Show.class,
            SagaCommand.Retry.class,
            SagaCommand.Skip.class,
            SagaCommand.Force.class,
            SagaCommand.Cancel.class
        },
        footer = {"", "Example:", "  ./hapax saga list --state stuck"})
final class SagaCommand {

    private static final Listing<Stored> SAGAS = new Listing<Stored>()
            .text("SAGA", "id", Stored::id)
            .text("NAME", "name", Stored::name)
            .number("VERSION", "version", Stored::version)
            .text("KEY", "key", Stored::key)
            .text("STATE", "state", Stored::state)
            .instant("STARTED", "startedAt", Stored::startedAt)
            .instant("ENDED", "endedAt", saga -> saga.endedAt().orElse(null))
            .instant("DUE", "dueAt", saga -> saga.dueAt().orElse(null))
            .instant("DEADLINE", "deadlineAt", saga -> saga.deadlineAt().orElse(null))
            .aside()
            .text("OWNER", "owner", saga -> saga.owner().orElse(null))
            .aside()
            .number("LOSSES", "losses", Stored::losses)
            .aside()
            .text("PARENT", "parent", saga -> saga.parent().orElse(null))
            .aside()
            .text("REASON", "reason", saga -> saga.reason().orElse(null));

    private static final Listing<StoredStep> STEPS = new Listing<StoredStep>()
            .text("STEP", "step", step -> (step.isUndo() ? "undo of " : "") + step.name())
            .text("KIND", "kind", StoredStep::kind)
            .text("STATE", "state", StoredStep::state)
            .number("TRIES", "attempts", StoredStep::attempts)
            .instant("BEGAN", "beganAt", StoredStep::beganAt)
            .instant("ENDED", "endedAt", step -> step.endedAt().orElse(null))
            .instant("DUE", "dueAt", step -> step.dueAt().orElse(null))
            .number("TOKEN", "token", StoredStep::token)
            .text("RESULT", "type", step -> step.type().orElse(null))
            .text("REASON", "reason", step -> step.reason().orElse(null));

    private static final Listing<Action> ACTIONS = new Listing<Action>()
            .instant("AT", "at", Action::at)
            .text("DONE", "action", Action::action)
            .text("STEP", "step", action -> action.step().orElse(null))
            .text("BY", "by", Action::by)
            .text("REASON", "reason", Action::reason);

    private SagaCommand() {}

    private static Stored find(SagaOperator operator, String saga) {
        List<Stored> found;
        try {
            found = operator.find(UUID.fromString(saga)).stream().toList();
        } catch (IllegalArgumentException notAnId) {
            found = List.of();
        }
        if (found.isEmpty()) {
            found = operator.find(saga);
        }
        if (found.isEmpty()) {
            throw new Problem("there is no saga " + saga + " here; ./hapax saga list shows those that are in flight");
        }
        if (found.size() > 1) {
            throw new Problem(found.size() + " sagas have the key " + saga + "; give the id of one: "
                    + String.join(
                            ", ",
                            found.stream()
                                    .map(one -> one.id() + " (" + one.name() + ")")
                                    .toList()));
        }
        return found.getFirst();
    }

    /** Lists some. */
    @Command(
            name = "list",
            description = {
                "Lists sagas, oldest first; by default those in flight.",
                "",
                "DUE is when one is taken up next by itself. One whose DUE is long over waits for a process that has registered its NAME and VERSION."
            },
            footer = {
                "",
                "Examples:",
                "  ./hapax saga list --state stuck",
                "  ./hapax saga list --name fulfil --state completed,compensated,cancelled --limit 500 --json"
            })
    static final class ListSome extends DatabaseCommand {

        @Option(
                names = "--state",
                split = ",",
                paramLabel = "STATE",
                description =
                        "Only those: running, waiting, compensating, stuck, completed, compensated, cancelled. Default: the first four.")
        private Set<SagaState> states = EnumSet.noneOf(SagaState.class);

        @Option(names = "--name", paramLabel = "NAME", description = "Only those of this name.")
        private @Nullable String name;

        @Option(names = "--limit", paramLabel = "N", description = "At most so many, 1 to 10,000. Default: 100.")
        private int limit = 100;

        @Option(names = "--json", description = "Print a JSON array instead of a table.")
        private boolean json;

        @Override
        public Integer call() {
            Set<SagaState> wanted = states.isEmpty()
                    ? EnumSet.of(SagaState.RUNNING, SagaState.WAITING, SagaState.COMPENSATING, SagaState.STUCK)
                    : states;
            if (limit < 1 || limit > SagaOperator.LIST_MAX) {
                throw misuse("--limit must be between 1 and " + SagaOperator.LIST_MAX);
            }
            try (Hapax hapax = database().open()) {
                SagaOperator operator = hapax.sagas().operator();
                String only = name;
                List<Stored> all = only == null ? operator.list(wanted, limit) : operator.list(only, wanted, limit);
                if (json) {
                    SAGAS.json(out(), all);
                } else {
                    SAGAS.table(out(), all, "no saga is in such a state");
                }
                return Commands.DONE;
            }
        }
    }

    /** Shows one, with its history. */
    @Command(
            name = "show",
            description = {
                "Shows one saga, with all that it has done, and what persons did to it.",
                "",
                "TOKEN grows with each process that owned it. Results are not shown, only the names of their types."
            },
            footer = {"", "Example:", "  ./hapax saga show A-17"})
    static final class Show extends DatabaseCommand {

        @Parameters(paramLabel = "SAGA", description = "Its id, or the id of its key.")
        private String saga = "";

        @Option(names = "--json", description = "Print one JSON object.")
        private boolean json;

        @Override
        public Integer call() {
            try (Hapax hapax = database().open()) {
                SagaOperator operator = hapax.sagas().operator();
                Stored found = find(operator, saga);
                List<StoredStep> steps = operator.steps(found.id());
                List<Action> actions = operator.actions(found.id());
                if (json) {
                    out().println(SAGAS.object(found, object -> {
                        object.writeName("steps");
                        STEPS.array(object, steps);
                        object.writeName("actions");
                        return ACTIONS.array(object, actions);
                    }));
                } else {
                    SAGAS.card(out(), found);
                    out().println();
                    STEPS.table(out(), steps, "it has done nothing yet");
                    if (!actions.isEmpty()) {
                        out().println();
                        ACTIONS.table(out(), actions, "");
                    }
                }
                return Commands.DONE;
            }
        }
    }

    /** What is done to one saga, by whom and why. */
    abstract static class Acting extends DatabaseCommand {

        @Parameters(index = "0", paramLabel = "SAGA", description = "Its id, or the id of its key.")
        private String saga = "";

        @Option(
                names = "--reason",
                required = true,
                paramLabel = "TEXT",
                description = "Why; kept with the saga, 1 to 1000 characters.")
        private String reason = "";

        @Option(names = "--by", paramLabel = "WHO", description = "Who does it. Default: the user of this machine.")
        private String by = System.getProperty("user.name", "unknown");

        /** Returns whether it was done. */
        abstract boolean act(SagaOperator operator, UUID id, Ruling ruling);

        abstract String done();

        abstract String refused();

        @Override
        public final Integer call() {
            try (Hapax hapax = database().open()) {
                SagaOperator operator = hapax.sagas().operator();
                Stored found = find(operator, saga);
                if (act(operator, found.id(), new Ruling(reason, by))) {
                    out().println("saga " + found.id() + " of " + found.name() + " (" + found.key() + ") " + done());
                    return Commands.DONE;
                }
                throw new Problem("saga " + found.id() + " is " + found.state() + ": " + refused()
                        + "; nothing was done. ./hapax saga show " + found.id() + " shows it");
            }
        }
    }

    /** Lets one go on. */
    @Command(
            name = "retry",
            description = {
                "Lets a saga go on that is stuck, with all its tries; one that waits for its next try makes it now.",
                "",
                "Exit status 1 if it is neither."
            },
            footer = {"", "Example:", "  ./hapax saga retry A-17 --reason \"the bank is open again\""})
    static final class Retry extends Acting {

        @Override
        boolean act(SagaOperator operator, UUID id, Ruling ruling) {
            return operator.retry(id, ruling);
        }

        @Override
        String done() {
            return "goes on";
        }

        @Override
        String refused() {
            return "it is not stuck, and does not wait for a next try";
        }
    }

    /** Leaves one step as it is. */
    @Command(
            name = "skip",
            description = {
                "Leaves a step as it is: the saga will not undo it. One that is stuck goes on with what is left to undo.",
                "",
                "Exit status 1 if the saga is not being undone, or has no such step to undo (any more)."
            },
            footer = {"", "Example:", "  ./hapax saga skip A-17 pay --reason \"refunded by hand, ticket 4711\""})
    static final class Skip extends Acting {

        @Parameters(index = "1", paramLabel = "STEP", description = "Its name, as shown.")
        private String step = "";

        @Override
        boolean act(SagaOperator operator, UUID id, Ruling ruling) {
            return operator.skip(id, step, ruling);
        }

        @Override
        String done() {
            return "goes on without undoing " + step;
        }

        @Override
        String refused() {
            return "it is not being undone, or has no step " + step + " to undo (any more)";
        }
    }

    /** Ends one. */
    @Command(
            name = "force",
            description = {
                "Ends a saga that is being undone or is stuck in that, without undoing anything more. What was done and not undone stays: a person has seen to it.",
                "",
                "Exit status 1 if it is not being undone. Needs --yes."
            },
            footer = {"", "Example:", "  ./hapax saga force A-17 --reason \"undone by hand, ticket 4711\" --yes"})
    static final class Force extends Acting {

        @Option(names = "--yes", description = "Do it.")
        private boolean yes;

        @Override
        boolean act(SagaOperator operator, UUID id, Ruling ruling) {
            if (!yes) {
                throw misuse("that leaves what was done as it is; nothing was changed; add --yes");
            }
            return operator.force(id, ruling);
        }

        @Override
        String done() {
            return "is ended";
        }

        @Override
        String refused() {
            return "it is not being undone";
        }
    }

    /** Cancels one. */
    @Command(
            name = "cancel",
            description = {
                "Cancels a saga: what was done is undone, and nothing more is done.",
                "",
                "Exit status 1 if it is being undone already, or has ended."
            },
            footer = {"", "Example:", "  ./hapax saga cancel A-17 --reason \"the customer left\""})
    static final class Cancel extends Acting {

        @Override
        boolean act(SagaOperator operator, UUID id, Ruling ruling) {
            return operator.cancel(id, ruling);
        }

        @Override
        String done() {
            return "is cancelled; what it did is being undone";
        }

        @Override
        String refused() {
            return "it is being undone already, or has ended";
        }
    }
}

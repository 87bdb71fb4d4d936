package dev.hapax.server.command;

import java.util.Map;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.UsageMessageSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ScopeType;

/** The tree of commands. Safe for use by one thread. */
@Command(
        name = "./hapax",
        description = "Looks at and changes what Hapax keeps in a service's database.",
        subcommands = {
            SchemaCommand.class,
            ConsumerCommand.class,
            RelayCommand.class,
            QuarantineCommand.class,
            ClaimsCommand.class,
            ScopeCommand.class,
            PauseCommand.class,
            ResumeCommand.class,
            HistoryCommand.class,
            AdoptCommand.class,
            TwoPhaseCommand.class,
            PruneCommand.class,
            HousekeepCommand.class,
            SagaCommand.class
        },
        footer = {
            "",
            "Exit status: 0 done, 1 a problem was found or nothing could be done, 2 the command line is wrong, 3 the database can't be reached."
        })
public final class Commands {

    static final int DONE = 0;
    static final int PROBLEM = 1;
    static final int USAGE = 2;
    static final int UNREACHABLE = 3;

    /** Wide enough for a description beside the options, narrow enough for a terminal. */
    private static final int USAGE_WIDTH = 110;

    private final Map<String, String> environment;

    @Option(
            names = {"-h", "--help"},
            usageHelp = true,
            scope = ScopeType.INHERIT,
            description = "Show this help.")
    @SuppressWarnings("unused") // picocli reads it
    private boolean help;

    private Commands(Map<String, String> environment) {
        this.environment = environment;
    }

    /**
     * The commands, ready to be executed. Output goes to the command line's {@code out}, problems to its {@code err}.
     *
     * @param environment where {@code HAPAX_URL}, {@code HAPAX_USER} and {@code HAPAX_PASSWORD} are looked up
     */
    public static CommandLine commandLine(Map<String, String> environment) {
        CommandLine commandLine = new CommandLine(new Commands(environment));
        commandLine.setUsageHelpWidth(USAGE_WIDTH);
        commandLine.setUsageHelpLongOptionsMaxWidth(34);
        partParagraphs(commandLine);
        commandLine.setCaseInsensitiveEnumValuesAllowed(true);
        commandLine.setParameterExceptionHandler(Failures::misused);
        commandLine.setExecutionExceptionHandler(Failures::failed);
        return commandLine;
    }

    /** Blank lines between what it does, what it is told, and examples. */
    private static void partParagraphs(CommandLine command) {
        UsageMessageSpec usage = command.getCommandSpec().usageMessage();
        usage.descriptionHeading("%n");
        boolean hasParameters = !command.getCommandSpec().positionalParameters().isEmpty();
        usage.parameterListHeading(hasParameters ? "%n" : "");
        usage.optionListHeading(hasParameters ? "" : "%n");
        usage.commandListHeading("%nCommands:%n");
        command.getSubcommands().values().forEach(Commands::partParagraphs);
    }

    static Map<String, String> environmentOf(CommandSpec spec) {
        return ((Commands) spec.root().userObject()).environment;
    }
}

package dev.hapax.examples;

import dev.hapax.HapaxException;
import dev.hapax.examples.demo.DbCommand;
import dev.hapax.examples.demo.DemoCommand;
import dev.hapax.examples.demo.DemoException;
import picocli.CommandLine;
import picocli.CommandLine.Command;

/** The commands that show Hapax at work. */
@Command(
        name = "hapax",
        description = "Shows Hapax at work.",
        subcommands = {DemoCommand.class, DbCommand.class},
        mixinStandardHelpOptions = true)
public final class Main implements Runnable {
    private static final int TROUBLE = 3;

    private Main() {}

    /**
     * Runs one command and exits with its status.
     *
     * @param args the command and its options
     */
    public static void main(String[] args) {
        System.exit(run(args));
    }

    /**
     * Runs one command.
     *
     * @param args the command and its options
     * @return its exit status
     */
    public static int run(String... args) {
        return new CommandLine(new Main())
                .setUsageHelpWidth(110)
                .setParameterExceptionHandler((refusal, given) -> {
                    CommandLine command = refusal.getCommandLine();
                    String name = command.getCommandSpec().qualifiedName(" ");
                    command.getErr().println("hapax: " + refusal.getMessage());
                    command.getErr().println("       ./" + name + " --help says more");
                    return command.getCommandSpec().exitCodeOnInvalidInput();
                })
                .setExecutionExceptionHandler((failure, command, parsed) -> {
                    command.getErr().println("hapax: " + failure.getMessage());
                    if (!(failure instanceof DemoException || failure instanceof HapaxException)) {
                        failure.printStackTrace(command.getErr());
                    }
                    return TROUBLE;
                })
                .execute(args);
    }

    @Override
    public void run() {
        CommandLine.usage(this, System.out);
    }
}

package dev.hapax.examples;

import dev.hapax.HapaxException;
import dev.hapax.examples.demo.DbCommand;
import dev.hapax.examples.demo.DemoCommand;
import dev.hapax.examples.demo.WarmUpCommand;
import dev.hapax.examples.gameday.GameDayCommand;
import dev.hapax.examples.proof.ProofCommand;
import dev.hapax.examples.stage.BrokenOrdersException;
import dev.hapax.examples.stage.RunException;
import java.io.PrintWriter;
import java.util.concurrent.atomic.AtomicBoolean;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The commands that show Hapax at work. */
@Command(
        name = "./hapax",
        description = "Shows Hapax at work.",
        subcommands = {DemoCommand.class, GameDayCommand.class, DbCommand.class, ProofCommand.class, WarmUpCommand.class
        })
public final class Main implements Runnable {
    @Spec
    @SuppressWarnings("NullAway.Init") // set by picocli
    private CommandSpec spec;

    private static final int TROUBLE = 3;
    private static final AtomicBoolean ENDING = new AtomicBoolean();

    @Option(
            names = {"-h", "--help"},
            usageHelp = true,
            description = "show this page")
    @SuppressWarnings("UnusedVariable") // picocli acts on it
    private boolean help;

    private Main() {}

    /**
     * Runs one command and exits with its status.
     *
     * @param args the command and its options
     */
    public static void main(String[] args) {
        Runtime.getRuntime().addShutdownHook(new Thread(() -> ENDING.set(true), "ending"));
        System.exit(run(
                new PrintWriter(System.out, true, System.out.charset()),
                new PrintWriter(System.err, true, System.err.charset()),
                args));
    }

    /**
     * Runs one command.
     *
     * @param out gets its output
     * @param err gets what is wrong with it
     * @param args the command and its options
     * @return its exit status
     */
    public static int run(PrintWriter out, PrintWriter err, String... args) {
        return new CommandLine(new Main())
                .setOut(out)
                .setErr(err)
                .setUsageHelpWidth(110)
                .setParameterExceptionHandler((refusal, given) -> refuse(refusal))
                .setExecutionExceptionHandler((failure, command, parsed) -> report(failure, command))
                .execute(args);
    }

    private static int refuse(ParameterException refusal) {
        CommandLine command = refusal.getCommandLine();
        command.getErr().println("hapax: " + refusal.getMessage());
        if (!(refusal.getCause() instanceof BrokenOrdersException)) {
            command.getErr().println("       " + command.getCommandSpec().qualifiedName(" ") + " --help says more");
        }
        return command.getCommandSpec().exitCodeOnInvalidInput();
    }

    private static int report(Exception failure, CommandLine command) {
        if (ENDING.get()) {
            // What fails now fails because the database and the processes are being stopped.
            return TROUBLE;
        }
        command.getErr().println("hapax: " + failure.getMessage());
        if (!(failure instanceof RunException || failure instanceof HapaxException)) {
            failure.printStackTrace(command.getErr());
        }
        return TROUBLE;
    }

    @Override
    public void run() {
        spec.commandLine().usage(spec.commandLine().getOut());
    }
}

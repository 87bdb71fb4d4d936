package dev.hapax.server.command;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.postgresql.ds.PGSimpleDataSource;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;

/** Which database, and as whom. A password never stands among the arguments, where every user of the machine can read it. */
final class DatabaseOptions {

    private static final String URL_START = "jdbc:postgresql:";
    private static final int CONNECT_SECONDS = 10;

    /** Long enough for every look; a command that hangs tells nobody anything. */
    private static final int SOCKET_SECONDS = 120;

    private static final int PASSWORD_BYTES_MAX = 10_000;

    @Option(
            names = "--url",
            order = 1,
            paramLabel = "JDBC_URL",
            description =
                    "The service's database, such as jdbc:postgresql://HOST:5432/NAME. Default: HAPAX_URL of the environment.")
    private @Nullable String url;

    @Option(
            names = "--user",
            order = 2,
            paramLabel = "ROLE",
            description = "The database role. Default: HAPAX_USER of the environment, or what the URL says.")
    private @Nullable String user;

    @Option(
            names = "--password-file",
            order = 3,
            paramLabel = "FILE",
            description = "Holds the role's password. Default: HAPAX_PASSWORD of the environment, or the file .pgpass.")
    private @Nullable Path passwordFile;

    /** Connects to nothing yet. */
    Database database(CommandSpec spec) {
        Map<String, String> environment = Commands.environmentOf(spec);
        String where = url != null ? url : environment.getOrDefault("HAPAX_URL", "");
        if (where.isBlank()) {
            throw misuse(spec, "which database? Give --url JDBC_URL, or set HAPAX_URL");
        }
        if (!where.startsWith(URL_START)) {
            throw misuse(spec, "the URL must begin with " + URL_START + "; it was " + where);
        }
        PGSimpleDataSource source = new PGSimpleDataSource();
        try {
            source.setUrl(where);
        } catch (IllegalArgumentException e) {
            throw misuse(spec, "the URL can't be read: " + where);
        }
        source.setApplicationName("hapax");
        source.setConnectTimeout(CONNECT_SECONDS);
        source.setLoginTimeout(CONNECT_SECONDS);
        source.setSocketTimeout(SOCKET_SECONDS);
        String role = user != null ? user : environment.getOrDefault("HAPAX_USER", "");
        if (!role.isBlank()) {
            source.setUser(role);
        }
        String password =
                passwordFile != null ? read(spec, passwordFile) : environment.getOrDefault("HAPAX_PASSWORD", "");
        if (!password.isEmpty()) {
            source.setPassword(password);
        }
        return new Database(source, Urls.masked(where));
    }

    private static String read(CommandSpec spec, Path file) {
        try {
            if (Files.size(file) > PASSWORD_BYTES_MAX) {
                throw misuse(spec, "the password file " + file + " has more than " + PASSWORD_BYTES_MAX + " bytes");
            }
            return Files.readString(file).replaceFirst("\\R[\\s\\S]*", "");
        } catch (IOException e) {
            throw misuse(spec, "the password file can't be read: " + e);
        }
    }

    private static ParameterException misuse(CommandSpec spec, String words) {
        return new ParameterException(spec.commandLine(), words);
    }
}

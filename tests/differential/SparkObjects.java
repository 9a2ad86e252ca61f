/*
 * Real Spark in one warm JVM: runs spark-submit for each line of stdin and tells what it would have created.
 *
 * In:  {"id", "args": [...], "files": {NAME: TEXT}}        arguments of spark-submit; {dir} in them is the folder that
 *                                                           holds the files, {dir}/conf is SPARK_CONF_DIR
 *      {"id", "properties": TEXT, "template": TEXT, "driver_name": NAME}    only the executor of such a driver
 * Out: {"id", "requests": [{"method", "path", "body"}...], "error", "executor", "executor_error"}
 *
 * The requests are those that a fake API server on the loopback got from SparkSubmit.doSubmit. The executor is the pod
 * that Spark's ExecutorPodsAllocator sends when it is given what the driver gets: the recorded spark.properties, the
 * recorded template and the options that SparkContext adds. Errors are the last line that names an exception.
 * Identifiers stay random, except those that the driver makes for executors: constants that no random one equals.
 *
 * usage: java ... SparkObjects FOLDER     FOLDER/conf and FOLDER/case are made and emptied here; see the script `spark`
 */
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.fabric8.kubernetes.client.ConfigBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.lang.reflect.Constructor;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.PrivilegedExceptionAction;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.Executors;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.apache.hadoop.security.UserGroupInformation;
import org.apache.spark.SecurityManager;
import org.apache.spark.SparkConf;
import org.apache.spark.deploy.SparkSubmit;
import org.apache.spark.deploy.k8s.KubernetesConf;
import org.apache.spark.deploy.k8s.submit.KubernetesClientUtils;
import org.apache.spark.resource.ResourceProfile;
import org.apache.spark.scheduler.cluster.k8s.ExecutorPodsAllocator;
import org.apache.spark.scheduler.cluster.k8s.ExecutorPodsSnapshotsStore;
import org.apache.spark.scheduler.cluster.k8s.KubernetesExecutorBuilder;
import org.apache.spark.util.SystemClock;
import org.apache.spark.util.Utils;

public final class SparkObjects {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Pattern ERROR = Pattern.compile(
        "^(?:.* )?((?:java|scala|org|io)\\.[\\w.$]+(?:Exception|Error):.*|Error: .*)", Pattern.MULTILINE);
    private static final List<String> HANDED_ON = List.of("SPARK_USER", "SPARK_LOCAL_DIRS");
    private static final String EXECUTORS_ID = "e".repeat(16);
    private static final String EXECUTORS_MAP = "spark-exec-" + "f".repeat(16) + "-conf-map";
    private static final String TEMPLATE_KEY = "podspec-configmap-key";
    private static final String TEMPLATE_CONF = "spark.kubernetes.executor.podTemplateFile";
    private static final String PREFIX_CONF = "spark.kubernetes.executor.podNamePrefix";

    private final ApiServer api = new ApiServer();
    private final Path folder;
    private final Path files;
    private final KubernetesClient client;

    private SparkObjects(Path folder) throws IOException {
        this.folder = folder;
        this.files = folder.resolve("case");
        this.client = new KubernetesClientBuilder()
            .withConfig(new ConfigBuilder().withAutoConfigure(false).withMasterUrl(api.url()).build()).build();
    }

    public static void main(String[] args) throws Exception {
        PrintStream out = new PrintStream(System.out, false, StandardCharsets.UTF_8);
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        SparkObjects objects = new SparkObjects(Path.of(args[0]));
        int status = 1;

        try {
            for (String line = in.readLine(); line != null; line = in.readLine()) {
                out.println(JSON.writeValueAsString(objects.answer(JSON.readTree(line))));
                out.flush();
            }
            status = 0;
        } catch (Exception thrown) {
            thrown.printStackTrace();
        }
        System.exit(status); // the threads of the servers and clients live on
    }

    private ObjectNode answer(JsonNode question) throws Exception {
        ObjectNode reply = JsonNodeFactory.instance.objectNode();

        reply.set("id", question.get("id"));
        api.reset();
        prepareFolder(question.path("files"));
        if (question.has("properties")) {
            String driver = question.path("driver_name").asText("driver");
            executorOf(question.get("properties").asText(), question.path("template").asText(null), driver, reply);
            return reply;
        }
        String error = submit(allArguments(question.get("args")));
        ArrayNode requests = api.takeRequests();

        reply.set("requests", requests);
        if (error != null)
            reply.put("error", error);
        else
            executorOf(requests, reply);
        return reply;
    }

    private void prepareFolder(JsonNode texts) throws IOException {
        if (Files.exists(files))
            try (Stream<Path> old = Files.walk(files)) {
                for (Path path : old.sorted(Comparator.reverseOrder()).toList())
                    Files.delete(path);
            }
        Files.createDirectories(files.resolve("conf"));
        for (Map.Entry<String, JsonNode> each : fields(texts).entrySet()) {
            Path path = files.resolve(each.getKey());

            Files.createDirectories(path.getParent());
            Files.writeString(path, each.getValue().asText());
        }
    }

    private static Map<String, JsonNode> fields(JsonNode object) {
        Map<String, JsonNode> map = new LinkedHashMap<>();

        object.fieldNames().forEachRemaining(name -> map.put(name, object.get(name)));
        return map;
    }

    // ---- the submission ----------------------------------------------------------------------------------------

    /** Ends a submission where SparkSubmit would end its process. */
    private static final class Exit extends RuntimeException {
        private static final long serialVersionUID = 1;
    }

    private static String submit(List<String> args) throws ReflectiveOperationException {
        ByteArrayOutputStream said = new ByteArrayOutputStream();
        PrintStream stream = new PrintStream(said, true, StandardCharsets.UTF_8);
        PrintStream out = System.out;
        PrintStream err = System.err;
        boolean done = false;

        catchExit(stream);
        System.setOut(stream);
        System.setErr(stream);
        ClassLoader loader = Thread.currentThread().getContextClassLoader();

        try {
            new SparkSubmit().doSubmit(launcherArguments(args));
            done = true;
        } catch (Exit end) {
            stream.println();
        } catch (Throwable thrown) {
            stream.print("Exception in thread \"main\" ");
            thrown.printStackTrace(stream);
        } finally {
            Thread.currentThread().setContextClassLoader(loader); // each submission puts one of its own upon it
            System.setOut(out);
            System.setErr(err);
            clearProperties();
        }
        return done ? null : lastError(said.toString(StandardCharsets.UTF_8));
    }

    private List<String> allArguments(JsonNode given) {
        List<String> args = new ArrayList<>(List.of("--deploy-mode", "cluster", "--master", "k8s://" + api.url(),
            "--conf", "spark.kubernetes.submission.waitAppCompletion=false"));

        given.forEach(arg -> args.add(arg.asText().replace("{dir}", files.toString())));
        return args;
    }

    /** What org.apache.spark.launcher.Main, which bin/spark-class calls, passes on to SparkSubmit. */
    private static String[] launcherArguments(List<String> args) throws Throwable {
        Class<?> type = Class.forName("org.apache.spark.launcher.SparkSubmitCommandBuilder");
        Constructor<?> make = type.getDeclaredConstructor(List.class);
        Method build = type.getMethod("buildCommand", Map.class);

        make.setAccessible(true);
        build.setAccessible(true);
        try {
            List<?> command = (List<?>)build.invoke(make.newInstance(args), new HashMap<String, String>());
            int first = command.indexOf("org.apache.spark.deploy.SparkSubmit") + 1;

            return command.subList(first, command.size()).toArray(new String[0]);
        } catch (InvocationTargetException wrapped) {
            if (!(wrapped.getCause() instanceof IllegalArgumentException))
                throw wrapped.getCause();
            System.err.println("Error: " + wrapped.getCause().getMessage());
            throw new Exit();
        }
    }

    /** SparkSubmit's exitFn is a Function1 up to 4.0 and a Function2 later. */
    private static void catchExit(PrintStream stream) throws ReflectiveOperationException {
        Object submit = Class.forName("org.apache.spark.deploy.SparkSubmit$").getField("MODULE$").get(null);

        for (Method method : submit.getClass().getMethods()) {
            Class<?>[] types = method.getParameterTypes();

            if (method.getName().equals("printStream_$eq"))
                method.invoke(submit, stream);
            else if (method.getName().equals("exitFn_$eq"))
                method.invoke(submit, Proxy.newProxyInstance(SparkObjects.class.getClassLoader(), types, (p, m, a) -> {
                    throw new Exit();
                }));
        }
    }

    private static void clearProperties() {
        System.getProperties().stringPropertyNames().stream().filter(name -> name.startsWith("spark."))
            .forEach(System::clearProperty);
    }

    private static String lastError(String output) {
        Matcher matcher = ERROR.matcher(output);
        String last = null;

        while (matcher.find())
            last = matcher.group(1);
        return last != null ? last : output.substring(Math.max(0, output.length() - 2000));
    }

    // ---- the executor ------------------------------------------------------------------------------------------

    private void executorOf(ArrayNode requests, ObjectNode reply) throws Exception {
        String driver = null;
        String properties = null;
        String template = null;

        for (JsonNode request : requests) {
            JsonNode body = request.get("body");

            if (body.path("kind").asText().equals("Pod")) {
                driver = body.at("/metadata/name").asText();
                environment(body);
            }
            properties = body.path("data").path("spark.properties").asText(properties);
            template = body.path("data").path(TEMPLATE_KEY).asText(template);
        }
        if (properties != null)
            executorOf(properties, template, driver, reply);
        for (String name : HANDED_ON)
            setVariable(name, null);
    }

    /** What a driver finds in its environment and hands on to executors: who it runs as, and its scratch space. */
    private static void environment(JsonNode pod) throws ReflectiveOperationException {
        for (JsonNode container : pod.at("/spec/containers"))
            for (JsonNode variable : container.path("env"))
                if (HANDED_ON.contains(variable.path("name").asText()) && variable.has("value"))
                    setVariable(variable.get("name").asText(), variable.get("value").asText());
    }

    /** The map behind System.getenv, which the JVM fills once. */
    @SuppressWarnings("unchecked")
    private static void setVariable(String name, String value) throws ReflectiveOperationException {
        var field = System.getenv().getClass().getDeclaredField("m");

        field.setAccessible(true);
        Map<String, String> all = (Map<String, String>)field.get(System.getenv());

        if (value == null)
            all.remove(name);
        else
            all.put(name, value);
    }

    private void executorOf(String properties, String template, String driver, ObjectNode reply) throws Exception {
        try {
            UserGroupInformation.createRemoteUser("spark").doAs((PrivilegedExceptionAction<Void>)() -> {
                reply.set("executor", executor(driverConf(properties, template), driver));
                return null;
            });
        } catch (Exception thrown) {
            StringWriter text = new StringWriter();

            thrown.printStackTrace(new PrintWriter(text, true));
            reply.put("executor_error", lastError(text.toString()));
        }
    }

    /** The SparkConf in a running driver: spark.properties, and what SparkContext and KubernetesClusterManager set. */
    private SparkConf driverConf(String properties, String template) throws Exception {
        Path file = Files.writeString(folder.resolve("spark.properties"), properties);
        SparkConf conf = new SparkConf(false);
        var pairs = Utils.getPropertiesFromFile(file.toString()).iterator();

        while (pairs.hasNext()) {
            var pair = pairs.next();

            if (pair._1().startsWith("spark."))
                conf.set(pair._1(), pair._2());
        }
        conf.set("spark.submit.deployMode", "client").set("spark.executor.id", "driver").validateSettings();
        if (template != null)
            conf.set(TEMPLATE_CONF, Files.writeString(folder.resolve("template.yml"), template).toString());
        if (!conf.contains(PREFIX_CONF))
            conf.set(PREFIX_CONF, withFixedId(KubernetesConf.getResourceNamePrefix(conf.get("spark.app.name"))));
        for (String name : List.of("supplementJavaModuleOptions", "supplementJavaIPv6Options"))
            callContext(name, conf);
        return conf;
    }

    private static void callContext(String name, SparkConf conf) throws ReflectiveOperationException {
        Class<?> type = Class.forName("org.apache.spark.SparkContext$");

        type.getMethod("org$apache$spark$SparkContext$$" + name, SparkConf.class)
            .invoke(type.getField("MODULE$").get(null), conf);
    }

    /** A generated name ends in KubernetesUtils.uniqueID. */
    private static String withFixedId(String name) {
        return name.replaceFirst("[0-9a-fx][0-9a-f]{0,15}$", EXECUTORS_ID);
    }

    private JsonNode executor(SparkConf conf, String driver) throws Exception {
        String namespace = conf.get("spark.kubernetes.namespace", "default");
        SecurityManager security = new SecurityManager(conf, SecurityManager.$lessinit$greater$default$2(),
            SecurityManager.$lessinit$greater$default$3());
        ResourceProfile profile = defaultProfile(conf);

        security.initializeAuth();
        api.ensurePod(namespace, driver);
        conf.set("spark.kubernetes.driver.pod.name", driver);
        request(new ExecutorPodsAllocator(conf, security, new KubernetesExecutorBuilder(), client, noSnapshots(),
            new SystemClock()), profile, conf.get("spark.app.id"));
        for (JsonNode request : api.takeRequests())
            if (request.get("method").asText().equals("POST") && request.at("/body/kind").asText().equals("Pod"))
                return fixed(request.get("body"), security);
        throw new IllegalStateException("no executor was created");
    }

    private static ResourceProfile defaultProfile(SparkConf conf) throws ReflectiveOperationException {
        Class<?> type = Class.forName("org.apache.spark.resource.ResourceProfile$");
        Object module = type.getField("MODULE$").get(null);

        type.getMethod("clearDefaultProfile").invoke(module);
        return (ResourceProfile)type.getMethod("getOrCreateDefaultProfile", SparkConf.class).invoke(module, conf);
    }

    /** ExecutorPodsAllocator.requestNewExecutors(1, ...); the claims in use are a Seq up to 4.1 and a Set later. */
    private static void request(ExecutorPodsAllocator allocator, ResourceProfile profile, String appId)
        throws Exception {
        allocator.rpIdToResourceProfile().put(profile.id(), profile);
        for (Method method : ExecutorPodsAllocator.class.getMethods()) {
            if (!method.getName().equals("requestNewExecutors"))
                continue;
            boolean set = scala.collection.Set.class.isAssignableFrom(method.getParameterTypes()[3]);
            String none = set ? "scala.collection.immutable.Set$" : "scala.collection.immutable.List$";
            Object module = Class.forName(none).getField("MODULE$").get(null);

            try {
                method.invoke(allocator, 1, appId, profile.id(), module.getClass().getMethod("empty").invoke(module));
                return;
            } catch (InvocationTargetException wrapped) {
                throw wrapped.getCause() instanceof Exception cause ? cause : wrapped;
            }
        }
        throw new NoSuchMethodException("ExecutorPodsAllocator.requestNewExecutors");
    }

    private static ExecutorPodsSnapshotsStore noSnapshots() {
        return (ExecutorPodsSnapshotsStore)Proxy.newProxyInstance(SparkObjects.class.getClassLoader(),
            new Class<?>[] {ExecutorPodsSnapshotsStore.class}, (proxy, method, args) -> null);
    }

    private static JsonNode fixed(JsonNode pod, SecurityManager security) throws IOException {
        String text = pod.toString().replace(KubernetesClientUtils.configMapNameExecutor(), EXECUTORS_MAP);

        if (security.isAuthenticationEnabled())
            text = text.replace(security.getSecretKey(), "e".repeat(64));
        return JSON.readTree(text);
    }

    // ---- the API server ----------------------------------------------------------------------------------------

    /** Stores what is sent, as far as Spark's clients look at it, and logs the requests; a watch stays empty. */
    private static final class ApiServer {
        private static final Pattern PATH = Pattern.compile("/(?:api/v1|apis/([^/]+/[^/]+))"
            + "(?:/namespaces/([^/]+))?/([a-z]+)(?:/([^/?]+))?(?:\\?.*)?");
        private static final Map<String, String> KINDS = Map.of("pods", "Pod", "services", "Service", "configmaps",
            "ConfigMap", "secrets", "Secret", "persistentvolumeclaims", "PersistentVolumeClaim", "networkpolicies",
            "NetworkPolicy");
        private static final Map<Integer, String> REASONS = Map.of(200, "Success", 404, "NotFound", 409,
            "AlreadyExists");

        private record Answer(int code, JsonNode body) {}

        private final HttpServer server;
        private final Map<List<String>, ObjectNode> objects = new LinkedHashMap<>();
        private final List<HttpExchange> watches = new ArrayList<>();
        private ArrayNode requests;
        private long version;

        ApiServer() throws IOException {
            server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
            server.setExecutor(Executors.newCachedThreadPool(task -> {
                Thread thread = new Thread(task);

                thread.setDaemon(true);
                return thread;
            }));
            server.createContext("/", this::serve);
            server.start();
        }

        String url() {
            return "http://127.0.0.1:" + server.getAddress().getPort();
        }

        synchronized void reset() {
            watches.forEach(HttpExchange::close);
            watches.clear();
            objects.clear();
            requests = JsonNodeFactory.instance.arrayNode();
            version = 1000;
        }

        synchronized ArrayNode takeRequests() {
            ArrayNode taken = requests;

            requests = JsonNodeFactory.instance.arrayNode();
            return taken;
        }

        synchronized void ensurePod(String namespace, String name) {
            List<String> key = List.of(namespace, "pods", name);

            if (!objects.containsKey(key))
                put(key, JsonNodeFactory.instance.objectNode().put("apiVersion", "v1").put("kind", "Pod"));
        }

        private void serve(HttpExchange exchange) throws IOException {
            byte[] sent = exchange.getRequestBody().readAllBytes();
            JsonNode body = sent.length > 0 ? JSON.readTree(sent) : JsonNodeFactory.instance.nullNode();
            String type = exchange.getRequestHeaders().getFirst("Content-Type");
            Answer answer;

            synchronized (this) {
                answer = handle(exchange.getRequestMethod(), exchange.getRequestURI().toString(), body,
                    type != null && type.contains("apply-patch"));
            }
            exchange.getResponseHeaders().set("Content-Type", "application/json");
            if (answer.body() == null) {
                exchange.sendResponseHeaders(200, 0);
                synchronized (this) {
                    watches.add(exchange);
                }
                return;
            }
            byte[] data = JSON.writeValueAsBytes(answer.body());

            exchange.sendResponseHeaders(answer.code(), data.length);
            exchange.getResponseBody().write(data);
            exchange.close();
        }

        private Answer handle(String method, String path, JsonNode body, boolean apply) {
            requests.addObject().put("method", method).put("path", path).set("body", body);
            Matcher match = PATH.matcher(path);

            if (!match.matches())
                return path.equals("/version")
                    ? new Answer(200, JsonNodeFactory.instance.objectNode().put("major", "1").put("minor", "30"))
                    : status(404);
            String namespace = match.group(2) != null ? match.group(2) : "default";
            String plural = match.group(3);
            String name = match.group(4);

            if (method.equals("GET") && name == null)
                return path.contains("watch=true") ? new Answer(200, null) : list(match.group(1), namespace, plural);
            List<String> key = List.of(namespace, plural, name != null ? name : body.at("/metadata/name").asText());
            ObjectNode old = objects.get(key);

            if (method.equals("POST"))
                return old != null ? status(409) : new Answer(201, put(key, body.deepCopy()));
            if (old == null && !apply)
                return status(404);
            return switch (method) {
            case "PUT", "PATCH" -> new Answer(200, put(key, merged(old, (ObjectNode)body)));
            case "DELETE" -> {
                objects.remove(key);
                yield status(200);
            }
            default -> new Answer(200, old);
            };
        }

        private static ObjectNode merged(ObjectNode old, ObjectNode body) {
            ObjectNode base = old != null ? old.deepCopy() : JsonNodeFactory.instance.objectNode();

            return base.setAll(body.deepCopy());
        }

        private Answer list(String api, String namespace, String plural) {
            ObjectNode list = JsonNodeFactory.instance.objectNode();
            ArrayNode items = list.put("apiVersion", api != null ? api : "v1")
                .put("kind", KINDS.getOrDefault(plural, plural) + "List").putArray("items");

            list.putObject("metadata").put("resourceVersion", Long.toString(version));
            objects.forEach((key, object) -> {
                if (key.get(0).equals(namespace) && key.get(1).equals(plural))
                    items.add(object);
            });
            return new Answer(200, list);
        }

        private static Answer status(int code) {
            return new Answer(code, JsonNodeFactory.instance.objectNode().put("apiVersion", "v1").put("kind", "Status")
                .put("code", code).put("reason", REASONS.get(code)));
        }

        private ObjectNode put(List<String> key, ObjectNode body) {
            ObjectNode old = objects.get(key);
            ObjectNode meta = body.withObject("/metadata");

            version++;
            meta.put("name", key.get(2)).put("namespace", key.get(0)).put("resourceVersion", Long.toString(version));
            meta.put("uid", old != null ? old.at("/metadata/uid").asText() : new UUID(0, version).toString());
            meta.put("creationTimestamp", "2020-01-01T00:00:00Z");
            if (key.get(1).equals("pods"))
                body.putObject("status").put("phase", "Pending");
            objects.put(key, body);
            return body;
        }
    }
}

package shop;

import io.javalin.Javalin;
import io.javalin.http.Context;
import org.pac4j.core.config.Config;
import org.pac4j.core.http.callback.NoParameterCallbackUrlResolver;
import org.pac4j.javalin.CallbackHandler;
import org.pac4j.javalin.JavalinFrameworkParameters;
import org.pac4j.javalin.SecurityHandler;
import org.pac4j.oidc.client.OidcClient;
import org.pac4j.oidc.config.OidcConfiguration;

/** A web application that signs people in. */
public class Shop {
  public static void main(String[] arguments) {
    var oidc = new OidcConfiguration();
    oidc.setDiscoveryURI(System.getProperty("shop.issuer") + "/.well-known/openid-configuration");
    oidc.setClientId(System.getProperty("shop.client"));
    oidc.setSecret(System.getProperty("shop.secret"));
    oidc.setScope("openid email");
    var client = new OidcClient(oidc);
    var callback = System.getProperty("shop.callback", "/callback");
    if (!callback.equals("/callback")) {
      // As the plugin of Jenkins has it: the address names no client.
      client.setCallbackUrlResolver(new NoParameterCallbackUrlResolver());
    }
    var config = new Config(client);

    var server = Javalin.create(application -> {
      application.routes.before("/", new SecurityHandler(config, "OidcClient"));
      application.routes.get("/", context -> context.result(who(config, context)));
      application.routes.get(callback, new CallbackHandler(config));
    }).start("127.0.0.1", 0);
    config.getClients().setCallbackUrl("http://127.0.0.1:" + server.port() + callback);
    System.out.println("port " + server.port());
  }

  private static String who(Config config, Context context) {
    var parameters = new JavalinFrameworkParameters(context);
    var profiles = config.getProfileManagerFactory().apply(
        config.getWebContextFactory().newContext(parameters),
        config.getSessionStoreFactory().newSessionStore(parameters));
    var profile = profiles.getProfile().orElseThrow();
    return profile.getId() + " " + profile.getAttribute("email");
  }
}

package shop;

import io.quarkus.oidc.IdToken;
import io.quarkus.security.Authenticated;
import jakarta.annotation.security.RolesAllowed;
import jakarta.inject.Inject;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.Path;
import org.eclipse.microprofile.jwt.JsonWebToken;

/** A web application or an API: whichever its properties make of it. */
@Path("/")
@Authenticated
public class Shop {
  @Inject @IdToken JsonWebToken person;
  @Inject JsonWebToken caller;

  @GET
  public String person() {
    return person.getSubject() + " " + person.getClaim("email");
  }

  @GET
  @Path("staff")
  @RolesAllowed("staff")
  public String staff() {
    return "for staff";
  }

  @GET
  @Path("api")
  public String caller() {
    return caller.getSubject();
  }
}

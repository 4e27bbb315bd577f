package shop;

import static org.springframework.security.config.Customizer.withDefaults;

import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Profile;
import org.springframework.security.config.annotation.web.builders.HttpSecurity;
import org.springframework.security.oauth2.client.oidc.web.logout.OidcClientInitiatedLogoutSuccessHandler;
import org.springframework.security.oauth2.client.registration.ClientRegistrationRepository;
import org.springframework.security.web.SecurityFilterChain;

/** Signs people out of the issuer, too. */
@Configuration
@Profile("sign-out")
class SignOut {
  @Bean
  SecurityFilterChain chain(HttpSecurity http, ClientRegistrationRepository clients) throws Exception {
    var out = new OidcClientInitiatedLogoutSuccessHandler(clients);
    out.setPostLogoutRedirectUri("{baseUrl}");
    return http
        .authorizeHttpRequests(requests -> requests.anyRequest().authenticated())
        .oauth2Login(withDefaults())
        .logout(logout -> logout.logoutSuccessHandler(out))
        .build();
  }
}

//! Every text of the pages, by section, with the values in it.
//!
//! A new text is a line here and one in each file of `assets/texts/`. A template writes
//! `{{ page.t.section.name(value) }}`, in an attribute and in the title with `.plain()`, and with
//! `.link("/path")` where the text has a link. A list of names comes from [`Texts::all_of`] or
//! [`Texts::any_of`]; a number chooses between the forms `one` and `other`. The texts of a script are
//! below `scripts`; its page has them in the block `texts`. Those of the administration are in
//! `administration.rs`, and what stands beside things in `beside.rs`.

use super::declare::texts;
#[cfg(test)]
use super::phrase::Phrase;

/// A text with its name and the values that it is given.
#[cfg(test)]
pub(super) type Declared<'a> = (String, &'a Phrase, &'static [&'static str]);

texts! {
    pages {
        account: Account {
            title,
            add_passkey,
            administration,
            administrator,
            apps,
            by_certificate(day),
            by_session,
            by_token(day),
            change,
            change_passkey(passkey),
            codes,
            codes_left(count),
            codes_make,
            codes_make_anew,
            codes_none,
            devices,
            devices_about,
            disconnect,
            disconnect_app(app),
            email_none,
            end,
            end_device(device, day),
            hosts,
            hosts_about,
            last_seen(day, address),
            last_used(day),
            launcher,
            linked(day),
            made(day),
            models(protocols),
            models_none,
            never_used,
            next,
            next_client,
            next_issuer,
            next_person,
            next_recovery,
            next_resource,
            off,
            on,
            on_one_device,
            only_passkey,
            passkeys,
            plugins,
            private_network(address),
            profile,
            profile_change,
            sessions,
            sessions_open(count),
            sign_out,
            sign_out_others,
            sign_out_session(program, day),
            signed_in(day),
            since(day),
            synced,
            this_browser,
            this_machine,
        }
        outcome: OutcomeTexts {
            title,
            code_displayed,
            code_displayed_lead,
            done(client),
            linked,
            linked_lead,
            not_done(client),
        }
        asking: Asking {
            access_to,
            allow,
            app,
            app_id,
            as_person(name),
            ask_operator,
            ask_people(people),
            asked_from,
            at_resources(resources),
            deny,
            destination(host),
            details,
            for_use_at,
            named_by,
            named_by_host(host),
            named_by_program,
            not_in_group(group),
            not_in_groups(groups),
            not_you,
            policy,
            powerful,
            scope_tokens,
            scopes,
            self_named(host),
            self_named_at(host),
            self_named_by_itself,
            self_named_nowhere,
            sends_you_to,
            signed_in_as,
            terms,
            title(client),
            unregistered,
            unverified,
        }
        consent: Consent {
            loopback,
            nothing_new,
            remembered,
        }
        device: Device {
            title,
            code,
            code_hint,
            go_on,
            only_yours,
            type_it,
            unknown,
            compare_it,
        }
        device_confirm: DeviceConfirm {
            asked,
            asked_ago(minutes),
            asked_now,
            gates_machine,
            lead,
            nothing_but_you,
            nothing_yours,
            yourself,
        }
        device_done: DeviceDone {
            allowed,
            allowed_lead(client),
            denied,
            denied_lead(client),
        }
        email: Email {
            hint,
            label,
            lacking,
            malformed,
            optional,
            taken,
        }
        error: ErrorTexts {
            address,
            another,
            app,
            app_unknown,
            client,
            client_unknown,
            copy,
            event,
            fault,
            go_on_to(host),
            host,
            in_the_log,
            known(names),
            load_again,
            nobody_vouches(host),
            redirect_uri_unregistered,
            says_it_is(name),
            see_why,
            sends_to,
            start_again,
            start_again_at(client),
            status,
            title,
            title_app_unknown,
            title_client_disabled(client),
            title_fault,
            title_forbidden,
            title_method,
            title_misdirected,
            title_not_found,
            title_stale,
            to_account,
            to_administration,
            to_mend,
        }
        frame: Frame {
            close_it,
            here(host),
            here_named(name, host),
            one_moment,
        }
        link: Link {
            title,
            allow,
            deny,
            device,
            end_any_time,
            lead,
            nowhere,
            on_this_computer(host),
            your_bridge,
            yourself,
        }
        link_code: LinkCode {
            title,
            another,
            command,
            copy_code,
            copy_command,
            expires(time),
            heading,
            lead,
            secret,
        }
        link_refused: LinkRefused {
            title,
            lead,
        }
        lists: Lists {
            and,
            or,
        }
        login: Login {
            title,
            again,
            again_lead(name),
            another,
            button,
            cancel,
            cancel_to(client),
            create_or,
            lead,
            lead_to(client),
            lead_to_self_named(client, host),
            lost,
            lost_ask,
            lost_code,
            lost_device,
            no_script(host),
            nobody,
            nobody_lead,
            nobody_next,
            offered,
            other_device,
            other_device_hint,
            sign_up,
            username,
            username_hint,
        }
        profile: Profile {
            back,
            email_hint,
            lead,
            name,
            name_hint,
            save,
            title,
            username_stays,
        }
        other_sessions: OtherSessions {
            back,
            button,
            devices(count),
            devices_about,
            lead(count),
            lead_none,
            title,
        }
        passkey: Passkey {
            back,
            even_last,
            lead,
            name,
            only,
            only_codes(count),
            only_codes_none,
            others_out, others_out_codeless,
            product,
            remove,
            remove_heading,
            remove_lead,
            rename,
            title,
            transports,
        }
        new_passkey: NewPasskey {
            button,
            lead(name),
            name,
            name_hint,
            no_script(host),
            title,
        }
        recovery_codes: RecoveryCodes {
            copy,
            done,
            lead,
            left(count),
            left_none,
            make,
            make_anew,
            once,
            print,
            title,
        }
        transports: Transports {
            ble,
            hybrid,
            internal,
            nfc,
            smart_card,
            usb,
        }
        logout: Logout {
            title,
            astray,
            astray_after,
            asks(client),
            done,
            done_again,
            done_lead,
            done_title,
            heading(place),
            signed_in_as(name),
            stay,
        }
        not_for_you: NotForYou {
            title,
            back,
            heading(client),
        }
        program: Program {
            on(program, system),
            unknown,
        }
        prove: Prove {
            no_script(host),
        }
        redirect: Redirect {
            back_if_known(host),
            back_to(host),
            denied,
            denied_lead,
            go_on,
            going_to(host),
            heading,
            if_nothing_happens,
        }
        setup: Setup {
            title,
            about,
            again,
            button,
            code,
            code_button,
            code_hint,
            display_name,
            display_name_hint,
            email_hint,
            end_others,
            have_one,
            no_script(host),
            remedy,
            username_hint,
        }
    }
    scripts {
        script_countdown: ScriptCountdown {
            expired,
            expires(time),
        }
        script_codes: ScriptCodes {
            copied,
            not_copied,
        }
        script_copy: ScriptCopy {
            copied,
            selected,
        }
        script_further: ScriptFurther {
            done,
            storing,
            waiting,
        }
        script_login: ScriptLogin {
            checking,
            signed_in,
            waiting,
        }
        script_page: ScriptPage {
            app_opens,
            one_moment,
            unreachable,
        }
        script_passkey: ScriptPasskey {
            another_prompt,
            browser,
            browser_fault,
            cancelled,
            cancelled_making,
            device(browser, system),
            elsewhere,
            exists,
            insecure,
            interrupted,
            no_passkey,
            no_passkeys,
            no_storage,
            none_responded,
            none_could_make,
            not_ready,
            not_understood(status),
            too_late,
            too_late_making,
            unreachable,
            unfit_authenticator,
            useless,
            wrong_host(host),
        }
        script_setup: ScriptSetup {
            checking,
            done,
            email_malformed,
            first,
            first_lead,
            invitation,
            invitation_lead,
            new_lead,
            new_person(name),
            no_link,
            passkey(name),
            passkey_lead,
            recover(name),
            recover_lead,
            recovery,
            sign_up,
            sign_up_lead,
            signed_in(name),
            signed_in_new(name),
            storing,
            username_malformed,
            username_missing,
            waiting,
            you,
        }
    }
}

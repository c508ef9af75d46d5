# What is installed, and the Debian package that `cpack` makes of it:
#   cmake --build --preset release --target lanekeeper debian_documents
#   cpack --config build/release/CPackConfig.cmake -B build/deb
include(GNUInstallDirs)

set(debian ${CMAKE_CURRENT_LIST_DIR})
set(documents ${PROJECT_BINARY_DIR}/debian)
set(doc_folder ${CMAKE_INSTALL_DATADIR}/doc/lanekeeper)

# As Debian wants them: compressed, without a name or time inside.
function(lanekeeper_compressed from to)
  add_custom_command(
    OUTPUT ${documents}/${to}
    COMMAND ${CMAKE_COMMAND} -E make_directory ${documents}
    COMMAND gzip -9 --no-name --stdout ${from} > ${documents}/${to}
    DEPENDS ${from}
    VERBATIM)
endfunction()
lanekeeper_compressed(${debian}/lanekeeper.8 lanekeeper.8.gz)
lanekeeper_compressed(${debian}/changelog changelog.Debian.gz)
lanekeeper_compressed(${PROJECT_SOURCE_DIR}/CHANGELOG.md changelog.gz)
add_custom_target(
  debian_documents ALL DEPENDS ${documents}/lanekeeper.8.gz ${documents}/changelog.Debian.gz
                               ${documents}/changelog.gz)

install(TARGETS lanekeeper RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(FILES ${documents}/lanekeeper.8.gz DESTINATION ${CMAKE_INSTALL_MANDIR}/man8)
install(FILES ${documents}/changelog.Debian.gz ${documents}/changelog.gz ${debian}/copyright
              ${PROJECT_SOURCE_DIR}/config/reference.yaml ${PROJECT_SOURCE_DIR}/config/schema.json
        DESTINATION ${doc_folder})
install(FILES ${debian}/completion.bash
        DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions RENAME lanekeeper)
# Where they are looked for, whatever the prefix.
install(FILES ${debian}/config.yaml DESTINATION /etc/lanekeeper)
install(FILES ${debian}/lanekeeper.service DESTINATION /lib/systemd/system)

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME lanekeeper)
set(CPACK_PACKAGE_VENDOR lanekeeper)
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "sidecar that forwards gRPC over one shared upstream channel")
set(CPACK_PACKAGE_DESCRIPTION
    "Applications dial lanekeeper on their own machine. It forwards every RPC,
as bytes, over one upstream connection that all of them share, keeps the
order and the backpressure of each stream, and tells who waits for whom: in
a page, in a terminal, to Prometheus, in its log.")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_PRE_BUILD_SCRIPTS ${debian}/folders.cmake)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_RELEASE 1)
set(CPACK_DEBIAN_PACKAGE_MAINTAINER "lanekeeper maintainers <maintainers@lanekeeper.example>")
set(CPACK_DEBIAN_PACKAGE_SECTION net)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
# The libraries are found by dpkg-shlibdeps; adduser makes the service's user.
set(CPACK_DEBIAN_PACKAGE_DEPENDS adduser)
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA ${debian}/conffiles ${debian}/postinst ${debian}/prerm
                                       ${debian}/postrm)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
include(CPack)

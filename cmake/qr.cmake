# The reader of QR codes on the page for papers: two files of npm's `qr`, which
# scripts/setup.sh fetches as cmake/qr/package-lock.json pins it.  Embedded byte
# for byte, and only as long as they are the bytes that were looked at; without
# them the page does without (docs/CHECK.md).
set(QR_FOLDER ${CMAKE_SOURCE_DIR}/cmake/qr/node_modules/qr)
set(QR_FILES decode.js index.js LICENSE-MIT)
set(QR_SHA256
	00e209820dcb11d624e9a03d6383e580766792b57d1651318f0a29e4e1ff0fe8
	a0de370051f94bd74f218f74401fdf197585e3f9ef0143164f87ea941a3fdd6f
	07a9f887e9215644439b808628b09f8eece932d79130ff563f958f3a1783e684)

function(embed_qr target)
	set(out ${CMAKE_BINARY_DIR}/qr_files.c)
	set(names ${QR_FILES})
	set(inputs)
	foreach(f want IN ZIP_LISTS QR_FILES QR_SHA256)
		if(NOT EXISTS ${QR_FOLDER}/${f})
			message(STATUS "npm's qr is not there (scripts/setup.sh): "
				"the page for papers reads pictures only where the "
				"browser can")
			set(names)
			set(inputs)
			break()
		endif()
		file(SHA256 ${QR_FOLDER}/${f} got)
		if(NOT got STREQUAL want)
			message(FATAL_ERROR "${QR_FOLDER}/${f} is not what was "
				"pinned: ${got}")
		endif()
		list(APPEND inputs ${QR_FOLDER}/${f})
	endforeach()
	string(JOIN "|" names ${names})
	add_custom_command(OUTPUT ${out}
		COMMAND ${CMAKE_COMMAND} -DROOT=${QR_FOLDER} "-DNAMES=${names}"
			-DTABLE=qr_files -DOUT=${out} -P ${EMBED_SCRIPT}
		DEPENDS ${inputs} ${EMBED_SCRIPT} ${CMAKE_SOURCE_DIR}/cmake/qr.cmake
		VERBATIM)
	target_sources(${target} PRIVATE ${out})
endfunction()
